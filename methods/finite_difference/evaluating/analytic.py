"""Whether a complex step told the truth: its gradient beside real differences along one direction.

A step of the loss that is not analytic (conj, abs, vdot, a real part) makes Im f(x + ih) / h wrong at every
h, and leaves Re f(x + ih) = f(x) + O(h^2) as it is: two complex steps agree with each other there. Real
differences do not care, and along a direction through all parameters any wrong entry shows: a few evaluations
for all of them.
"""

from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.finite_difference import steps
from methods.finite_difference.evaluating.probing import host_dtype, on_host, sizes_of

EVALUATIONS = 5
_SHORTER = 4.0
_NOISE = 64.0
"""Epsilons of the loss, and of what the slope is summed of, that rounding may be: a few in large networks."""
_UNSURE = 4.0
"""Times what the slopes on the two sides, or those of the two steps, differ by: what a kink, curvature or
noise leave open."""


def check_analytic(problem: Problem, point: Parameters, draw: Draw, gradient: Parameters, value: Any) -> None:
    """Raise `UsageError` where `gradient` is not the slope of the loss, whose `value` is at the point.

    Along a direction of random signs each array's entries are moved by eps^(1/3) of its size, or less near a
    bound, and by a quarter of that.
    """
    arrays, away = problem.arrays, _direction(problem, point)
    parts = {name: to_numpy(gradient[name]).astype(move.dtype) * move for name, move in away.items()}
    claimed, size = (sum(float(np.sum(f(part))) for part in parts.values()) for f in (np.asarray, np.abs))
    slopes, rounding, bend = [], 0.0, 0.0
    for share in (1.0, 1 / _SHORTER):
        right, left = (_moved(problem, point, draw, away, side * share) for side in (1, -1))
        slopes.append((right - left) / (2 * share))
        bend = abs(right + left - 2 * on_host(arrays, value)[0]) / share
        rounding = _NOISE * arrays.epsilon * (max(abs(right), abs(left)) / share + size)
    mismatch = min(abs(slope - claimed) for slope in slopes)
    # A loss that does not change at all, to the last digit, tells nothing of a slope that small.
    if any(slopes) and mismatch > _UNSURE * (abs(slopes[0] - slopes[1]) + bend) + rounding:
        raise UsageError(
            f"the complex step says that the loss changes by {claimed:.3g} along a direction, and it changes "
            f"by {float(slopes[0]):.3g}: something in it is not analytic (abs, conj, vdot, a norm, a real "
            "part). Write that otherwise, or use central_difference; check=False does not ask."
        )


def _direction(problem: Problem, point: Parameters) -> dict[str, Any]:
    """The moves of each array."""
    signs, shrunk, away = np.random.default_rng(0), 1.0, {}
    for name, array in point.items():
        x = to_numpy(array).astype(host_dtype(problem.arrays))
        size = steps.central_rule(problem.arrays.epsilon) * sizes_of(x)
        away[name] = size * signs.choice((-1.0, 1.0), x.shape).astype(x.dtype)
        if problem.bounds is not None and x.size:
            shrunk = min(shrunk, float(np.min(steps.within(np, size, x, problem.bounds) / size)))
    return {name: shrunk * move for name, move in away.items()}


def _moved(problem: Problem, point: Parameters, draw: Draw, away: Parameters, share: float) -> Any:
    arrays = problem.arrays
    moved = {name: arrays.array(to_numpy(array) + share * away[name]) for name, array in point.items()}
    with np.errstate(all="ignore"):
        return on_host(arrays, problem.loss(moved, draw))[0]
