"""Which references are believed at a point, and whether there is a derivative at all."""

from typing import Any

import numpy as np

from gradmark.judging.checking.directions import Direction
from gradmark.judging.checking.line import GOOD
from gradmark.judging.checking.slopes import COMPLEX, Slope, careful, central, disagree, learn, quick
from gradmark.judging.checking.spot import LARGE, Spot
from gradmark.judging.checking.trouble import trouble
from gradmark.reference.scale import room


def obstacle(spot: Spot, through_all: list[Direction], briefly: bool) -> tuple[str, bool] | None:
    """Why the point says nothing about a gradient, and whether there is none; None where it does.

    Drops the complex step at a point where real differences contradict it. `briefly` takes one central
    difference for enough where it agrees with the complex step; and where evaluations are dear and there is
    no complex step, it looks no closer before a gradient disagrees.
    """
    v = through_all[0].vector
    if briefly and (_agree_at_once(spot, v) if spot.complex_believed else spot.space.size >= LARGE):
        return None
    real = learn(spot, v)
    if reason := _kink(spot, through_all, real):
        return reason, True
    if spot.complex_believed and _settled(real):
        _believe_or_not(spot, v, real)
    elif spot.complex_believed:
        _in_proportion(spot, v)
    if not spot.complex_believed and not np.isfinite(real.value):
        return f"the reference is unreliable here, {trouble(spot, real)}", False
    return None


def _agree_at_once(spot: Spot, v: Any) -> bool:
    step, real = quick(spot, v), central(spot, v)
    return step.source == COMPLEX and (
        not disagree(step, real)
        or bool(abs(step.value - real.value) <= GOOD[spot.arithmetic.extended] * abs(step.value))
    )


def _settled(real: Slope) -> bool:
    return bool(np.isfinite(real.value)) and real.error <= abs(float(real.value))


def _believe_or_not(spot: Spot, v: Any, real: Slope) -> None:
    step = quick(spot, v)
    if step.source != COMPLEX:
        spot.complex_believed = False
    elif disagree(step, real):
        thorough = careful(spot, v, thorough=True)
        spot.complex_believed = not (_settled(thorough) and disagree(step, thorough))


def _in_proportion(spot: Spot, v: Any) -> None:
    """Compare along what moves entries in proportion: a small one beside large ones stays in its domain."""
    size = spot.size(v)
    w = np.where(room(spot.x, spot.bounds) > 0, v * np.minimum(np.abs(spot.x) / size, 1), 0)
    if np.any(w):
        real = careful(spot, w)
        _believe_or_not(spot, w, real) if _settled(real) else None


def _kink(spot: Spot, through_all: list[Direction], first: Slope) -> str | None:
    """Why the function is not differentiable at the point; two directions and all steps must show it."""
    if first.rung is None or not first.rung.kinked:
        return None
    ladders = [careful(spot, direction.vector, thorough=True).rung for direction in through_all[:2]]
    if not all(rung is not None and rung.kinked for rung in ladders):
        return None
    rung = ladders[0]
    assert rung is not None
    return (
        f"not differentiable here: along a random direction the slope is {float(rung.value):.3g} on the "
        f"average and jumps by {rung.jump:.3g} at the point"
    )
