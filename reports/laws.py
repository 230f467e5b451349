"""Laws of growth fitted to a run: t = a + b P^k to the times, c P^k to the evaluations that were counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradmark.errors import UsageError
from gradmark.measuring.exponent import Agreement, compare
from gradmark.measuring.scaling import FEWEST_SIZES, PowerLaw, fit_power_law
from reports.series import Series, series


@dataclass(frozen=True)
class Law:
    """The fitted law of one series of times beside the `claimed` exponent; `law` None: `reason` says why."""

    series: Series
    law: PowerLaw | None
    claimed: float | None
    reason: str = ""

    @property
    def verdict(self) -> Agreement:
        """Whether measurement and claim agree."""
        low, high = (self.law.low, self.law.high) if self.law else (math.nan, math.nan)
        return compare(low, high, self.claimed)


@dataclass(frozen=True)
class Slope:
    """The exponent of the counted evaluations with its 95 % interval, beside the `claimed` one."""

    series: Series
    exponent: float
    low: float
    high: float
    claimed: float | None

    @property
    def verdict(self) -> Agreement:
        """Whether measurement and claim agree."""
        return compare(self.low, self.high, self.claimed)


def time_laws(cases: pd.DataFrame) -> list[Law]:
    """A law for each series of times that has at least two sizes."""
    return [_law(one) for one in series(cases, "time") if len(one.cases) > 1]


def work_slopes(cases: pd.DataFrame) -> list[Slope]:
    """A slope for each series of counted evaluations that has at least three sizes."""
    return [_slope(one) for one in series(cases, "evaluations") if len(one.cases) > 2]


def fitted(sizes: Sequence[float], times: Sequence[float]) -> tuple[PowerLaw | None, str]:
    """The law of times, or None with the reason."""
    if len(set(sizes)) < FEWEST_SIZES:
        return None, f"{len(set(sizes))} sizes; a law with three constants needs {FEWEST_SIZES}"
    try:
        return fit_power_law(sizes, times), ""
    except UsageError as error:
        return None, str(error)


def slope(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """The slope of log value over log size by least squares, and its 95 % t interval.

    It is meant for counts, which have no overhead. Times and their ratios have: at small P a forward pass is
    mostly overhead, which a population of members shares, and a straight line through the ratios would accuse
    methods of growth that they don't have.
    """
    from scipy.stats import linregress, t

    if min(values) == max(values):
        return 0.0, 0.0, 0.0  # The correlation of a constant is no number.
    line = linregress(np.log(sizes), np.log(values))
    half = float(t.ppf(0.975, len(sizes) - 2) * line.stderr)
    return float(line.slope), float(line.slope) - half, float(line.slope) + half


def _law(one: Series) -> Law:
    law, reason = fitted(one.cases["P"].tolist(), one.cases["time"].tolist())
    return Law(one, law, claimed(one.last, "time", "parameters"), reason)


def _slope(one: Series) -> Slope:
    numbers = slope(one.cases["P"].tolist(), one.cases["evaluations"].tolist())
    return Slope(one, *numbers, claimed(one.last, "passes"))


def claimed(case: pd.Series, *path: str) -> float | None:
    """A number of the method's claimed growth, such as ``("time", "parameters")``; None: not claimed."""
    value = (case["detail"] or {}).get("growth") or {}
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) else None
