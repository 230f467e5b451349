"""The losses along some coordinates of an array: what the measuring rules look at.

A few coordinates stand for all of an array: steps go with the (p+1)-th root of noise and derivative, so that
their root mean squares over four coordinates are near enough (see `benchmarks.speed.steps`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, dtype_name, epsilon, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem

SAMPLED = 4
"""Coordinates of each array."""
_FARTHEST = 4.0
"""Moves, in times the array's root mean square, beyond which nothing is known of the function there."""


@dataclass(frozen=True)
class Lines:
    """Losses along n coordinates of one array.

    ``values(spacing, offsets)`` has shape (n, len(offsets)): the losses with each coordinate moved by
    spacing * offset. Spacings are multiples of `finest`, a power of two, and moves at most `reach`: then the
    moved numbers are exact. `scale` is the root mean square of the array; `unit` the epsilon of its dtype, `digits`
    that of the losses; `cramped` says that a bound leaves no room.
    """

    values: Callable[[float, tuple[int, ...]], Any]
    scale: float
    finest: float
    reach: float
    unit: float
    digits: Callable[[], float]
    cramped: bool = False

    def coarsest(self, farthest: int) -> float:
        """The largest power of two at which the offset `farthest` is within reach."""
        return max(power_of_two(self.reach / farthest, math.floor), self.finest)

    def spacing(self, wanted: float, farthest: int) -> float:
        """The spacing nearest to `wanted` at which the offset `farthest` is within reach."""
        return min(max(round(wanted / self.finest), 1) * self.finest, self.coarsest(farthest))


def power_of_two(number: float, rounding: Callable[[float], int] = round) -> float:
    """The power of two nearest to `number`, on a logarithmic scale."""
    return 2.0 ** rounding(math.log2(number))


def sampled(size: int) -> Any:
    """Which coordinates of an array of `size` are looked at: always the same for that size."""
    return np.sort(np.random.default_rng(size).permutation(size)[:SAMPLED])


def lines_of(problem: Problem) -> Callable[[Parameters, Draw, str], Lines]:
    """The function that gives the lines of one array of a problem at a point."""
    arrays, losses_at = problem.arrays, _entry_losses(problem)

    def lines(parameters: Parameters, draw: Draw, name: str) -> Lines:
        numbers = np.asarray(to_numpy(parameters[name]), np.longdouble).ravel()
        entries, seen = sampled(numbers.size), {"digits": arrays.epsilon}
        scale = float(np.sqrt(np.mean(numbers**2))) or 1.0
        at = numbers[entries]
        reach, cramped = _room(at, _FARTHEST * scale, problem.bounds)
        # Multiples of `finest` below a power of two have all digits that the dtype carries, or fewer.
        top = power_of_two(float(np.max(np.abs(at))) + reach, math.ceil)
        finest = top * arrays.epsilon / 2
        base = at if cramped else np.round(at / finest) * finest

        def values(spacing: float, offsets: tuple[int, ...]) -> Any:
            moves = 0 * np.asarray(offsets) if cramped else spacing * np.asarray(offsets)
            moved = (base[:, None] + moves).ravel()
            losses = losses_at(parameters, draw, name, np.repeat(entries, len(offsets)), moved)
            seen["digits"] = epsilon(dtype_name(losses))
            return np.asarray(to_numpy(losses), np.longdouble).reshape(entries.size, -1)

        return Lines(values, scale, finest, reach, arrays.epsilon, lambda: seen["digits"], cramped)

    return lines


def _room(at: Any, reach: float, bounds: tuple[float, float] | None) -> tuple[float, bool]:
    """How far all of `at` may move to both sides, and whether that is hardly at all."""
    if bounds is None:
        return reach, False
    room = float(np.min(np.minimum(at - bounds[0], bounds[1] - at))) / 2
    # A thousandth of the reach leaves no room for the spacings between noise and curvature.
    return (reach, True) if room < reach / 1000 else (min(reach, room), False)


def _entry_losses(problem: Problem) -> Callable[[Parameters, Draw, str, Any, Any], Any]:
    """``losses_at(parameters, draw, name, entries, numbers)``: entry k of the array replaced by each number.

    Exactly as many evaluations as numbers, whatever the backend: the work of a rule is claimed.
    """
    arrays, evaluate = problem.arrays, evaluator(problem)

    def losses_at(parameters: Parameters, draw: Draw, name: str, entries: Any, numbers: Any) -> Any:
        x = parameters[name]
        places, chunk = _places(arrays, x), members_per_chunk(problem, draw, math.prod(x.shape))
        found = []
        for start in range(0, len(entries), chunk):
            here, new = (each[start : start + chunk] for each in (entries, numbers))
            column = (-1,) + (1,) * x.ndim
            hit = places[None, ...] == arrays.xp.reshape(arrays.integers(here), column)
            members = arrays.xp.where(hit, arrays.xp.reshape(arrays.array(new), column), x[None, ...])
            with np.errstate(all="ignore"):
                found.append(evaluate({name: members}, parameters, draw))
        return arrays.xp.concat(found)

    return losses_at


def _places(arrays: Arrays, x: Any) -> Any:
    """The flat index of each entry of `x`, in its shape."""
    return arrays.integers(np.arange(math.prod(x.shape)).reshape(tuple(x.shape)))
