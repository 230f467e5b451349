"""The losses beside a point, as NumPy numbers: what methods look at that decide from what they see.

Losses are few beside what they cost, so the decisions are taken on the host, in float64 (longdouble where the
problem has it), whatever the backend and the dtype of the parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, dtype_name, epsilon, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.finite_difference.evaluating.coordinates import CoordinateLosses
from methods.finite_difference.steps.by_dtype import sizes
from methods.finite_difference.steps.noise_level import POINTS, ecnoise, rounding_floor

_SPACINGS = (2 / 3, 1 / 3, 1 / 6)
"""Powers of epsilon, in the size of the parameters, at which noise is looked for: the first that shows some.
Third differences of a smooth function are then below epsilon squared, epsilon, and its root."""
_FAR_BELOW = 1e-8
"""An entry that is so much smaller than its array is of another kind: the entries of a network's are not."""


def host_dtype(arrays: Arrays) -> Any:
    """The dtype of decisions: at least float64."""
    return np.longdouble if arrays.dtype == "longdouble" else np.float64


def lacks_numbers(problem: Problem) -> str | None:
    """Why nothing can be decided from a problem's losses, or None."""
    return "it decides from numbers, and meta tensors have none" if problem.arrays.device == "meta" else None


def on_host(arrays: Arrays, array: Any) -> Any:
    """Flat numbers of `array`."""
    return to_numpy(array).astype(host_dtype(arrays)).reshape(-1)


@dataclass(frozen=True)
class Probe:
    """One array of a point: `x` are its numbers, flat."""

    problem: Problem
    losses_at: CoordinateLosses
    point: Parameters
    draw: Draw
    name: str

    @property
    def x(self) -> Any:
        """The numbers of the array, flat."""
        return on_host(self.problem.arrays, self.point[self.name])

    def __call__(self, entries: Any, offsets: Any) -> tuple[Any, Any]:
        """How far `entries` were moved, which is `offsets` as rounded, and the losses there."""
        arrays, x = self.problem.arrays, self.x[entries]
        moved = arrays.array(x + offsets)
        with np.errstate(all="ignore"):
            losses = self.losses_at(self.point, self.draw, self.name, moved, entries)
        return on_host(arrays, moved) - x, on_host(arrays, losses)


def sizes_of(x: Any) -> Any:
    """What steps go with: those of `steps.sizes`; for an entry far below its own, how large it is."""
    typical, own = sizes(np, x), np.abs(x)
    return np.where((own > 0) & (own < _FAR_BELOW * typical), own, typical)


def noise_of(problem: Problem, point: Parameters, draw: Draw, value: Any) -> float:
    """The standard deviation of the loss's noise at a point, by ECnoise along a line through all parameters.

    It evaluates the loss 7 times; 14 or 21 times where the loss does not tell so close points apart. At least
    the rounding of `value`, the loss at the point.
    """
    along, level = _line(problem, point, draw), 0.0
    floor = rounding_floor(on_host(problem.arrays, value), epsilon(dtype_name(value)))
    for power in _SPACINGS:
        values, digits = along(problem.arrays.epsilon**power)
        if not np.all(np.isfinite(values)):
            break
        found = ecnoise(values)
        level, floor = found.level, max(floor, rounding_floor(values, digits))
        if found.verdict != "too close":
            break
    return max(level, floor)


def _line(problem: Problem, point: Parameters, draw: Draw) -> Callable[[float], tuple[Any, float]]:
    """Losses at points so far apart along a line, and the epsilon of the dtype they come in."""
    arrays, signs = problem.arrays, np.random.default_rng(0)
    numbers = {name: to_numpy(array).astype(host_dtype(arrays)) for name, array in point.items()}
    away = {name: signs.choice((-1.0, 1.0), x.shape) * sizes(np, x) for name, x in numbers.items()}

    def along(spacing: float) -> tuple[Any, float]:
        found = []
        for move in spacing * np.arange(1, POINTS + 1):
            moved = {name: _inside(problem, x, move * away[name]) for name, x in numbers.items()}
            with np.errstate(all="ignore"):
                found.append(problem.loss({name: arrays.array(x) for name, x in moved.items()}, draw))
        return np.concatenate([on_host(arrays, loss) for loss in found]), epsilon(dtype_name(found[0]))

    return along


def _inside(problem: Problem, x: Any, move: Any) -> Any:
    """x + move, to the other side where a bound is in the way."""
    if problem.bounds is None:
        return x + move
    low, high = problem.bounds
    return np.clip(x + np.where((x + move <= low) | (x + move >= high), -move, move), low, high)
