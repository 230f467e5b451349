"""The oracle: slopes of the function at a spot, by the complex step and by real differences."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.line import BETWEEN, Line, Rung
from gradmark.judging.checking.spot import Spot

SAFETY = 4.0
"""Times a reference's estimate of its own error."""
COMPLEX, CENTRAL, LADDER = "the complex step", "central differences", "differences over a ladder of steps"
"""The names of the references."""
_COMPLEX_ROUNDINGS = 64.0
"""Epsilons of the slope that a complex step may be off by where nothing cancels."""
_IMAGINARY = {True: 2.0**-60, False: 2.0**-120}
"""The imaginary step, of the parameters' size, by whether the parts are float32, whose numbers end at 2^-126.

Its square is far below the last digit, and it is far above what any arithmetic flushes to zero."""
_FLAT = 64.0
"""Roundings, of the size that the function has elsewhere, that a change must exceed to be seen."""
_NOWHERE = float("inf")


@dataclass(frozen=True)
class Slope:
    """The derivative along a direction, its error as the reference states it, and which reference it is."""

    value: Any
    error: float
    source: str
    rung: Rung | None = None


def quick(spot: Spot, v: Any) -> Slope:
    """The cheapest slope: one complex evaluation, else one central difference of a known step. Remembered."""
    known = spot.slopes.get(id(v))
    if known is not None and (spot.complex_believed or known[1].source != COMPLEX):
        found: Slope = known[1]
        return found
    found = _quick(spot, v)
    # With the direction, whose identity is good for as long as it lives.
    spot.slopes[id(v)] = v, found
    return found


def _quick(spot: Spot, v: Any) -> Slope:
    wide = spot.arithmetic.complex_wide
    if spot.complex_believed and wide is not None:
        value = complex_slope(spot, v, wide)
        if np.isfinite(value):
            return Slope(value, _COMPLEX_ROUNDINGS * wide.epsilon * float(abs(value)), COMPLEX)
    return central(spot, v)


def complex_slope(spot: Spot, v: Any, arrays: Arrays, x: Any = None) -> Any:
    """Im f(x + i h v) / h in a complex arithmetic, here or elsewhere; longdouble, NaN where it fails."""
    h = np.longdouble(spot.size(v)) * _IMAGINARY[arrays.dtype == "complex64"]
    at = (spot.x if x is None else x).astype(np.clongdouble)
    at.imag = h * v
    return np.longdouble(spot.carried(arrays)(at).imag) / h


def central(spot: Spot, v: Any) -> Slope:
    """One central difference: its error is what the first ladder at this spot says of its step."""
    h = spot.quick_step * spot.unit(v)
    if h == 0:
        return Slope(np.longdouble("nan"), _NOWHERE, CENTRAL)
    value = difference(spot, v, spot.x)
    return Slope(value, spot.quick_error * float(abs(value)) + spot.noise / h, CENTRAL)


def difference(spot: Spot, v: Any, x: Any) -> Any:
    """(f(x + h v) - f(x - h v)) / 2h in the real arithmetic, at this point or another."""
    real, h = spot.carried(spot.arithmetic.real), np.longdouble(spot.quick_step * spot.unit(v))
    return (real(x + h * v) - real(x - h * v)) / (2 * h) if h else np.longdouble("nan")


def careful(
    spot: Spot, v: Any, shift: float = 1.0, *, thorough: bool = False, enough: float | None = None
) -> Slope:
    """The slope by a ladder of real differences, all of its steps where the first ones do not agree.

    Where an error of `enough` is asked for, they agree when theirs is no larger.
    """
    if spot.unit(v) == 0:
        return Slope(np.longdouble("nan"), _NOWHERE, LADDER)
    real, extended = spot.carried(spot.arithmetic.real), spot.arithmetic.extended
    line = Line(lambda t: real(spot.x + t * v), spot.value, spot.unit(v), spot.noise, extended, shift)
    rung = line.short()
    if thorough or not rung.good(extended, enough) or (not spot.complex_believed and line.by_luck(rung)):
        # Steps that happen to agree are taken for good ones unless the noise is known.
        line.noise = spot.noise if spot.noise_is_measured else spot.measured_noise()
        rung = line.long()
    return Slope(rung.value, max(rung.error, _flatness(spot, rung)), LADDER, rung)


def _flatness(spot: Spot, rung: Rung) -> float:
    """The error of a slope of zero where steps leave the value as it is to the bit: rounding made it flat.

    So it is with the cross entropy of a sure network, which is 0 within a rounding of the logits. The slope
    over the longest of these steps may come to the smallest change that is seen at others, or to what the
    function's rounding is elsewhere.
    """
    flat = rung.change == 0
    if rung.value != 0 or not np.any(flat):
        return 0.0
    seen = rung.change[(rung.change > 0) & np.isfinite(rung.change)]
    scale = max(spot.magnitude, spot.magnitude_elsewhere, spot.variation) if seen.size == 0 else 0.0
    least = float(np.min(seen)) if seen.size else _FLAT * spot.arithmetic.real.epsilon * scale
    return least / float(np.max(rung.steps[flat]))


def learn(spot: Spot, v: Any) -> Slope:
    """The first real slope at the spot, which says what step suits it."""
    found = careful(spot, v)
    if found.rung is not None:
        step, off = found.rung.best_step()
        size = float(abs(found.value))
        spot.quick_step, spot.quick_error = step / spot.unit(v), off / size if size else 0.0
        spot.learnt, spot.learnt_error = (v, found), found.error / size if size else 0.0
        if not spot.complex_believed:
            spot.slopes[id(v)] = v, found
    return found


def second(spot: Spot, v: Any, first: Slope, enough: float | None = None) -> Slope:
    """Another reference for a slope: real differences for a complex step, else steps in between."""
    learnt = spot.learnt
    if (
        first.source == COMPLEX
        and learnt is not None
        and learnt[0] is v
        and enough is not None
        and learnt[1].error <= enough
    ):
        known: Slope = learnt[1]
        return known
    if first.source == COMPLEX:
        return careful(spot, v, enough=enough)
    return careful(spot, v, BETWEEN)


def disagree(one: Slope, other: Slope) -> bool:
    """Whether two references contradict each other."""
    return not float(abs(one.value - other.value)) <= SAFETY * (one.error + other.error)
