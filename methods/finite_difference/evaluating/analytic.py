"""Whether a complex step told the truth: its gradient beside real differences along one direction.

A step of the loss that is not analytic (conj, abs, vdot, a real part) makes Im f(x + ih) / h wrong at every
h, and leaves Re f(x + ih) = f(x) + O(h^2) as it is: two complex steps agree with each other there. Real
differences do not care, and along a direction through all parameters any wrong entry shows: a few evaluations
for all of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
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
    away = moves_of(problem, point)
    parts = {name: to_numpy(gradient[name]).astype(move.dtype) * move for name, move in away.items()}
    claimed, size = (sum(float(np.sum(f(part))) for part in parts.values()) for f in (np.asarray, np.abs))
    check_slopes(problem, "the loss", problem.loss, point, draw, away, [claimed], [size], value)


def check_slopes(
    problem: Problem,
    what: str,
    function: Callable[[Parameters, Draw], Array],
    point: Parameters,
    draw: Draw,
    away: Parameters,
    claimed: Any,
    size: Any,
    value: Any,
) -> None:
    """Raise `UsageError` where `function` does not change as `claimed` when its point is moved by `away`.

    `claimed`, and the `size` of what it was summed of, are flat, as the values of the function are; `value`
    is that at the point. `what` it is stands in the sentence.
    """
    arrays, here = problem.arrays, on_host(problem.arrays, value)
    claimed, size = (np.asarray(numbers, here.dtype) for numbers in (claimed, size))
    slopes, rounding, bend = [], 0.0, 0.0
    for share in (1.0, 1 / _SHORTER):
        right, left = (_moved(problem, function, point, draw, away, side * share) for side in (1, -1))
        slopes.append((right - left) / (2 * share))
        bend = np.abs(right + left - 2 * here) / share
        largest = max(np.max(np.abs(side), initial=0.0) for side in (right, left))
        rounding = _NOISE * arrays.epsilon * (largest / share + size)
    mismatch = np.minimum(*(np.abs(slope - claimed) for slope in slopes))
    wrong = mismatch > _UNSURE * (np.abs(slopes[0] - slopes[1]) + bend) + rounding
    # What does not change at all, to the last digit, tells nothing of a slope that small.
    if np.any(slopes) and np.any(wrong):
        worst = int(np.argmax(np.where(wrong, mismatch, 0)))
        raise UsageError(
            f"the complex step says that {what} changes by {float(claimed[worst]):.3g} along a direction, "
            f"and it changes by {float(slopes[0][worst]):.3g}: something in it is not analytic (abs, conj, "
            "vdot, a norm, a real part). Write that otherwise, or use central_difference; check=False does "
            "not ask."
        )


def moves_of(problem: Problem, point: Parameters) -> dict[str, Any]:
    """By how much to move each array: random signs times eps^(1/3) of its size, less near a bound."""
    signs, shrunk, away = np.random.default_rng(0), 1.0, {}
    for name, array in point.items():
        x = to_numpy(array).astype(host_dtype(problem.arrays))
        size = steps.central_rule(problem.arrays.epsilon) * sizes_of(x)
        away[name] = size * signs.choice((-1.0, 1.0), x.shape).astype(x.dtype)
        if problem.bounds is not None and x.size:
            shrunk = min(shrunk, float(np.min(steps.within(np, size, x, problem.bounds) / size)))
    return {name: shrunk * move for name, move in away.items()}


def _moved(
    problem: Problem,
    function: Callable[[Parameters, Draw], Array],
    point: Parameters,
    draw: Draw,
    away: Parameters,
    share: float,
) -> Any:
    arrays = problem.arrays
    moved = {name: arrays.array(to_numpy(array) + share * away[name]) for name, array in point.items()}
    with np.errstate(all="ignore"):
        return on_host(arrays, function(moved, draw))
