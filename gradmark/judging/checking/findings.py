"""What was found at a point, as findings."""

import numpy as np

from gradmark.judging.checking.allowance import floor
from gradmark.judging.checking.compare import Claim, Comparison
from gradmark.judging.checking.detectable import smallest_detectable
from gradmark.judging.checking.examine import Examined
from gradmark.judging.checking.locate import Located
from gradmark.judging.checking.slopes import COMPLEX, SAFETY, careful, difference
from gradmark.judging.checking.spot import Spot
from gradmark.judging.checking.trouble import trouble
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.measuring.norms import correct_digits, norm
from gradmark.random import generator

USELESS = 0.5
"""A check that would not have seen a relative fault of a half is no evidence."""
_MEANT = 4
"""Correct digits from which on a wrong gradient may be an approximation that somebody chose."""
_SMALL = 1e-2
"""Of the gradient: a tolerance above it asks whether the gradient just vanishes here."""
_MOVED = 0.125
"""Of the parameters' size: how far away the scale of a gradient that vanishes is looked for."""


def value_finding(spot: Spot, claim: Claim, examined: Examined, name: str, code: str) -> Finding:
    """The "value" finding of a point."""
    full = [found for found in examined.comparisons if found.direction.through_all]
    size = _size(spot, claim, full)
    seen = smallest_detectable([_resolved(spot, found, size) for found in full], size) if full else None
    digits = _digits(spot, claim, full, size)
    status, reason = _said(spot, examined, full, seen)
    if status == "failed" and digits is not None and digits >= _MEANT:
        reason += f" If it is meant to be right to {int(digits)} digits only, say `digits={int(digits)}`."
    evidence = None
    if examined.located is not None and examined.outcome != "agrees":
        evidence = _evidence(spot, examined.located, name, code)
    return Finding(
        "value", status, reason, where=name, dtype=spot.space.arrays.dtype, evidence=evidence,
        digits=digits, smallest_detectable=seen,
    )  # fmt: skip


def says_nothing(examined: Examined, found: Finding) -> bool:
    """Whether it was the references at the point, not the gradient, that left the finding open."""
    seen = found.smallest_detectable
    return examined.outcome in ("kink", "unreliable", "undecided") or (
        examined.outcome == "agrees" and seen is not None and seen > USELESS
    )


def _said(spot: Spot, examined: Examined, full: list[Comparison], seen: float | None) -> tuple[Status, str]:
    if examined.outcome == "wrong":
        assert examined.located is not None
        return "failed", f"{_place(spot, examined.located)}; {examined.reason}."
    if examined.outcome != "agrees":
        return "undecided", f"{examined.reason}."
    if seen is not None and seen > USELESS:
        thorough = careful(spot, full[0].direction.vector, thorough=True)
        return "undecided", (
            f"the reference is unreliable here, {trouble(spot, thorough)}; only a relative fault of "
            f"{seen:.1g} would have been seen."
        )
    along = len(examined.comparisons)
    return "passed", f"the gradient agrees with {full[0].slope.source} along {along} directions."


def _place(spot: Spot, located: Located) -> str:
    """The entry, or the direction, with what is claimed and what is right."""
    found = located.comparison
    where = f"along {found.direction.words}"
    if located.entry is not None:
        name, index = spot.space.place(located.entry)
        where = f"at {name}[{', '.join(map(str, index))}]" if index else f"at {name}"
    return f"wrong {where}: it is {float(found.claimed):.9g} and should be {float(found.slope.value):.9g}"


def _evidence(spot: Spot, located: Located, point: str, code: str) -> Evidence:
    found = located.comparison
    array, index = (None, None) if located.entry is None else spot.space.place(located.entry)
    expected = float(found.slope.value)
    what = "an entry" if located.entry is not None else f"the slope along {found.direction.words}"
    error = found.mismatch / abs(expected) if expected else float("inf")
    return Evidence(what, array, index, float(found.claimed), expected, found.slope.error, error, point, code)


def _size(spot: Spot, claim: Claim, full: list[Comparison]) -> float:
    """The 2-norm of the gradient as the reference shows it, or what it is nearby where it vanishes."""
    if not full:
        return 0.0
    size = float(norm(np.array([found.slope.value for found in full])) / len(full) ** 0.5)
    largest = max(found.tolerance for found in full)
    if largest < _SMALL * size:
        return size
    random = generator(0, "judge", 47)
    unit = spot.size(full[0].direction.vector)
    there = spot.x + _MOVED * unit * random.uniform(-1, 1, spot.x.size)
    near = abs(float(difference(spot, full[0].direction.vector, there)))
    return max(size, near) if np.isfinite(near) else size


def _resolved(spot: Spot, found: Comparison, size: float) -> float:
    """The mismatch along a direction from which on two references would have accused.

    What a suspicion would add to the tolerance is in it, and the error of the real differences that confirm a
    complex step.
    """
    more = floor(spot, found.direction.vector, found.slope.value) if found.conditioning is None else 0.0
    confirmed = SAFETY * spot.learnt_error * size if found.slope.source == COMPLEX else 0.0
    return found.tolerance + more + confirmed


def _digits(spot: Spot, claim: Claim, full: list[Comparison], size: float) -> float | None:
    """-log10 of the largest relative error along a direction that the evidence leaves room for."""
    if not full:
        return None
    most = correct_digits(spot.space.arrays.epsilon / 2)
    worst = max(found.mismatch + found.slope.error for found in full)
    if not np.isfinite(worst):
        return 0.0
    return min(most, correct_digits(worst / max(size, worst))) if worst > 0 else most


def gradient_norm(claim: Claim) -> float:
    """The 2-norm of the claimed gradient; 0 where only slopes are claimed."""
    return 0.0 if claim.gradient is None else norm(claim.gradient)
