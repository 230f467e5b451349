"""How often correct gradients were called wrong, against how often they may be."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gradmark.measuring.binomial import binomial_interval

LEVELS = (1e-2, 1e-3)
"""False-alarm levels at which tests with p-values are counted."""
_FALSE = 1e-3
"""The probability with which a calibrated judge may be found not to be, by all rows together."""
_FEWEST = 20
"""Fewer p-values than that show nothing of their law."""
AT_MOST_UNIFORM = frozenset(
    {"sequential.arrays", "efficiency.cosine", "efficiency.shrunk", "noise.arrays", "noise.correlation"}
)
"""Tests of several numbers at once, whose p-value is that of the worst, multiplied (Bonferroni, Holm)."""


@dataclass(frozen=True)
class Outcome:
    """One check of a correct gradient: its p-value, where it has one, and whether it was called wrong."""

    check: str
    subject: str
    p_value: float | None
    accused: bool


@dataclass(frozen=True)
class Row:
    """All outcomes of one check. `below` counts the p-values at most each of `LEVELS`.

    `law` is the p-value of a Kolmogorov-Smirnov test that the p-values are uniform (or, where `at_most`, not
    below uniform), None where there are too few. `faults` says in words what is out of its limits.
    """

    check: str
    checks: int
    tests: int
    below: dict[float, int] = field(default_factory=dict)
    accused: int = 0
    at_most: bool = False
    law: float | None = None
    faults: tuple[str, ...] = ()


def counted(outcomes: Iterable[Outcome]) -> list[Row]:
    """A row for each check, in the order of appearance, and one for all of them together."""
    by_check: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_check.setdefault(outcome.check, []).append(outcome)
    everything = [outcome for found in by_check.values() for outcome in found]
    parts = 2 * len(by_check) * (1 + len(LEVELS))
    rows = [_row(check, found, _FALSE / parts) for check, found in by_check.items()]
    return [*rows, _row("all", everything, _FALSE / parts, at_most=True)]


def _row(check: str, outcomes: list[Outcome], false: float, at_most: bool | None = None) -> Row:
    at_most = check in AT_MOST_UNIFORM if at_most is None else at_most
    p_values = [each.p_value for each in outcomes if each.p_value is not None]
    below = {level: sum(p <= level for p in p_values) for level in LEVELS} if p_values else {}
    accused, law = sum(each.accused for each in outcomes), _law(p_values, at_most)
    faults = [_beyond(below[level], len(p_values), level, at_most, 1 - false) for level in below]
    if law is not None and law < false:
        faults.append("the p-values are too small" if at_most else "the p-values are not uniform")
    if accused:
        faults.append(f"{accused} correct gradients were called wrong")
    said = tuple(fault for fault in faults if fault is not None)
    return Row(check, len(outcomes), len(p_values), below, accused, at_most, law, said)


def _beyond(number: int, tests: int, level: float, at_most: bool, confidence: float) -> str | None:
    """What is wrong with so many p-values below `level`, by exact binomial limits."""
    limits = binomial_interval(number, tests, confidence)
    if limits.low > level:
        return f"{number} of {tests} p-values are at most {level:g}, too many"
    if limits.high < level and not at_most:
        return f"only {number} of {tests} p-values are at most {level:g}, too few"
    return None


def _law(p_values: list[float], at_most: bool) -> float | None:
    if len(p_values) < _FEWEST:
        return None
    from scipy import stats

    found: Any = stats.kstest(p_values, "uniform", alternative="greater" if at_most else "two-sided")
    return float(found.pvalue) if math.isfinite(found.pvalue) else 0.0
