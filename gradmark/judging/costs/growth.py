"""Whether a measured cost grows by the claimed power, said with the caution that a clock deserves.

A wrong accusation is worse here than a miss: times bend where caches end, and other work disturbs them. What
grows more slowly than claimed is never accused: at small sizes the fixed cost of a pass hides its growth.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradmark.judging.verdict import Evidence, Finding
from gradmark.measuring.exponent import compare
from gradmark.measuring.scaling import FEWEST_SIZES, PowerLaw, fit_power_law

WIDE = 0.5
"""How far above the claimed exponent the whole interval must lie, twice, before anybody is accused. Leaving
the caches has been measured to add a quarter to the exponent of linear work."""


@dataclass(frozen=True)
class Costs:
    """What was measured: `values` at `sizes`."""

    sizes: tuple[float, ...]
    values: tuple[float, ...]


Measure = Callable[[int], Costs]
"""``measure(attempt)``: the second attempt is made with more care, where the first one is suspicious."""


def judged(check: str, what: str, claimed: float, measure: Measure) -> Finding:
    """A finding about the exponent of `what` ("time", "memory").

    Passed where the fitted law agrees by `gradmark.measuring.exponent.compare`; failed where it grows faster
    in two measurements, both intervals wholly above the claim by more than `WIDE`; else skipped.
    """
    law = _fitted(measure(0))
    if law is None:
        return _skipped(check, f"fewer than {FEWEST_SIZES} sizes could be measured.")
    first = compare(law.low, law.high, claimed)
    if (law.constant and law.low != law.high) or first == "can't tell":
        return _skipped(
            check, f"the exponent of {what}, {_words(law)}, is too uncertain to tell P^{claimed:g}."
        )
    if first == "agrees":
        return Finding(check, "passed", f"{what} grows with P^{_words(law)}, claimed is P^{claimed:g}.")
    if law.exponent < claimed:
        reason = (
            f"{what} grows with P^{_words(law)}, more slowly than the claimed P^{claimed:g} at these sizes."
        )
        return _skipped(check, reason)
    return _again(check, what, claimed, law, _fitted(measure(1)))


def _again(check: str, what: str, claimed: float, first: PowerLaw, second: PowerLaw | None) -> Finding:
    """What two measurements say together."""
    laws = [first] if second is None else [first, second]
    both = " and again ".join(_words(law) for law in laws)
    if len(laws) == 1 or min(law.low for law in laws) <= claimed + WIDE:
        reason = (
            f"the exponent of {what}, {both}, is above the claimed {claimed:g}, but not by {WIDE:g} twice."
        )
        return _skipped(check, reason)
    reason = f"{what} grows with P^{both}, claimed is P^{claimed:g}."
    last = laws[-1]
    evidence = Evidence(
        f"exponent of {what}",
        found=last.exponent,
        expected=claimed,
        uncertainty=max(last.high - last.exponent, last.exponent - last.low),
    )
    return Finding(check, "failed", reason, evidence=evidence)


def _fitted(costs: Costs) -> PowerLaw | None:
    usable = [(n, t) for n, t in zip(costs.sizes, costs.values, strict=True) if t > 0 and math.isfinite(t)]
    if len({n for n, _ in usable}) < FEWEST_SIZES:
        return None
    return fit_power_law([n for n, _ in usable], [t for _, t in usable])


def _words(law: PowerLaw) -> str:
    return f"{law.exponent:.2f} [{law.low:.2f}, {law.high:.2f}]"


def _skipped(check: str, reason: str) -> Finding:
    return Finding(check, "skipped", reason)
