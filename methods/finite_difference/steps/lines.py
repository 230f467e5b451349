"""The losses along some coordinates of an array: what the measuring rules look at.

A few coordinates stand for all of an array: steps go with the (p+1)-th root of noise and derivative, so that
their root mean squares over six coordinates are near enough (see `benchmarks.speed.steps`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, dtype_name, epsilon, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.finite_difference.steps.by_dtype import scale, sizes

SAMPLED = 6
"""Lines for each array."""
_FARTHEST = 4.0
"""Moves, in times the array's root mean square, beyond which nothing is known of the function there."""
_LEAST = 2.0**-40
"""Of the reach: no move need be finer, though an array of zeros has numbers as fine as the dtype has."""


@dataclass(frozen=True)
class Lines:
    """Losses along n coordinates of one array, each in a unit of its own, which is about its size.

    ``values(spacing, offsets)`` has shape (n, len(offsets)): the losses with each coordinate moved by spacing
    * offset, exactly, where the spacing is one that ``spacing`` gives. Moves go up to `reach`. `scale` is the
    root mean square of the array, `largest` the size of the largest coordinate; `epsilon` is that of its
    dtype, ``digits()`` that of the losses; `cramped` says that a bound leaves no room. `units` are those of
    all coordinates, a number or a flat array (see `steps.sizes`).
    """

    values: Callable[[float, tuple[int, ...]], Any]
    scale: float
    largest: float
    reach: float
    epsilon: float
    digits: Callable[[], float]
    cramped: bool = False
    units: Any = 1.0

    def only(self, which: Any) -> "Lines":
        """Some of the lines; the others are evaluated all the same."""
        return replace(self, values=lambda spacing, offsets: self.values(spacing, offsets)[which])

    def coarsest(self, farthest: int) -> float:
        """The largest power of two at which the offset `farthest` is within reach."""
        return power_of_two(self.reach / farthest, math.floor)

    def finest(self, move: float) -> float:
        """The spacing of numbers beside the largest coordinate after a move: a power of two."""
        return power_of_two(max(self.largest + move, self.reach * _LEAST), math.ceil) * self.epsilon / 2

    def spacing(self, wanted: float, farthest: int) -> float:
        """The exact spacing nearest to `wanted` at which the offset `farthest` is within reach."""
        wanted = min(wanted, self.coarsest(farthest))
        finest = self.finest(wanted * farthest)
        return max(round(wanted / finest), 1) * finest


def power_of_two(number: float, rounding: Callable[[float], int] = round) -> float:
    """The power of two nearest to `number`, on a logarithmic scale."""
    return 2.0 ** rounding(math.log2(number))


def sampled(size: int) -> Any:
    """Which coordinates of an array of `size` are looked at: always the same for that size.

    An array of fewer than `SAMPLED` has each several times.
    """
    return np.resize(np.sort(np.random.default_rng(size).permutation(size)[:SAMPLED]), SAMPLED)


def lines_of(problem: Problem) -> Callable[[Parameters, Draw, str], Lines]:
    """The function that gives the lines of one array of a problem at a point."""
    arrays, losses_at = problem.arrays, entry_losses(problem)

    def lines(parameters: Parameters, draw: Draw, name: str) -> Lines:
        numbers = np.asarray(to_numpy(parameters[name]), np.longdouble).ravel()
        entries, seen = sampled(numbers.size), {"digits": arrays.epsilon}
        size, units = _units(numbers)
        unit = np.broadcast_to(units, numbers.shape)[entries]
        at = numbers[entries] / unit
        reach, cramped = _room(at, unit, _FARTHEST * size, problem.bounds)

        def values(spacing: float, offsets: tuple[int, ...]) -> Any:
            # Multiples of the finest spacing have no more digits than the dtype carries.
            finest = found.finest(spacing * max(map(abs, offsets)))
            base = at if cramped else np.round(at / finest) * finest
            # Lines of the same coordinate are shifted, so that their noise is not the same.
            shifts = (np.arange(SAMPLED) // numbers.size)[:, None] / 2
            moved = base[:, None] + (0 if cramped else spacing) * (shifts + np.asarray(offsets))
            there = (unit[:, None] * moved).ravel()
            losses = losses_at(parameters, draw, name, np.repeat(entries, len(offsets)), there)
            seen["digits"] = epsilon(dtype_name(losses))
            return np.asarray(to_numpy(losses), np.longdouble).reshape(entries.size, -1)

        largest = float(np.max(np.abs(at)))
        found = Lines(values, size, largest, reach, arrays.epsilon, lambda: seen["digits"], cramped, units)
        return found

    return lines


def _units(numbers: Any) -> tuple[float, Any]:
    """The root mean square of an array in its own unit, and the unit of each entry, one if all have the same.

    Units are powers of two, so that nothing is rounded, and sizes far from 1 do not overflow as powers.
    """
    typical, each = scale(np, numbers), np.exp2(np.round(np.log2(sizes(np, numbers))))
    unit = np.exp2(np.round(np.log2(typical)))
    return float(typical / unit), unit if np.all(each == unit) else each


def _room(at: Any, unit: Any, reach: float, bounds: tuple[float, float] | None) -> tuple[float, bool]:
    """How far all of `at` may move to both sides, and whether that is hardly at all."""
    if bounds is None:
        return reach, False
    room = float(np.min(np.minimum(at - bounds[0] / unit, bounds[1] / unit - at))) / 2
    # A thousandth of the reach leaves no room for the spacings between noise and curvature.
    return (reach, True) if room < reach / 1000 else (min(reach, room), False)


def entry_losses(problem: Problem) -> Callable[[Parameters, Draw, str, Any, Any], Any]:
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
