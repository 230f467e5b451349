"""Derivatives along a direction of functions with many values (outputs, a gradient), by real differences."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradmark.reference.ladder import STEPS, Slopes, extrapolated, slopes
from gradmark.reference.noise import noise
from gradmark.reference.point import Numbers, Point
from gradmark.reference.scale import room

Values = Callable[[Numbers], Any]
"""From parameters, as NumPy arrays, to a vector in longdouble."""
EVALUATIONS = 2 * len(STEPS) + 1
"""Evaluations of the function for one direction."""
MIXED = 4 * len(STEPS)
"""Evaluations of the loss for one mixed second derivative."""


def vector_slope(values: Values, point: Point, direction: Mapping[str, Any], level: float) -> Slopes:
    """The derivative of each value along `direction` (a name left out does not move).

    `level` is the noise of the values.
    """
    unit = unit_of(point, direction)
    steps = unit * STEPS[:, None]
    plus, minus = (np.stack([values(moved(point, direction, s * h)) for h in steps[:, 0]]) for s in (1, -1))
    return slopes(plus, minus, values(point.numbers), steps, level)


def vector_noise(values: Values, point: Point, direction: Mapping[str, Any]) -> float:
    """The noise of the noisiest value, seen along `direction`."""
    unit = unit_of(point, direction)
    known: dict[float, Any] = {}

    def along(index: int) -> Callable[[Any], Any]:
        def column(offsets: Any) -> Any:
            for t in offsets:
                if t not in known:
                    known[t] = values(moved(point, direction, t * unit))
            return [known[t][index] for t in offsets]

        return column

    return max((noise(along(i), point.epsilon) for i in range(values(point.numbers).size)), default=0.0)


def mixed_slope(
    point: Point, one: Mapping[str, Any], other: Mapping[str, Any], level: float
) -> tuple[float, float]:
    """The second derivative of the loss along `one` and `other`, and its error.

    (f(x+a+b) - f(x+a-b) - f(x-a+b) + f(x-a-b)) / 4 for steps a and b that become smaller together.
    """
    units = unit_of(point, one), unit_of(point, other)
    column, noises = [], []
    for rung in STEPS / 2:  # both move one number at once
        a, b = rung * units[0], rung * units[1]
        found = [
            signs[0] * signs[1] * point.loss(_twice(point, one, signs[0] * a, other, signs[1] * b))
            for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1))
        ]
        column.append(sum(found) / (4 * a * b))
        noises.append(level / (2 * a * b))
    with np.errstate(all="ignore"):
        value, error = extrapolated(np.array(column)[:, None], np.array(noises)[:, None])
    return value[0], float(error[0])


def unit_of(point: Point, direction: Mapping[str, Any]) -> float:
    """What steps along `direction` are taken relative to: its numbers then move by the size of an array."""
    units = []
    for name, array in direction.items():
        longest = float(np.max(np.abs(array), initial=0.0))
        if longest > 0:
            free = float(np.min(room(point.numbers[name], point.problem.bounds)))
            units.append(min(point.typical_sizes[name], free) / longest)
    return min(units, default=1.0)


def moved(point: Point, direction: Mapping[str, Any], distance: Any) -> Numbers:
    """The parameters moved along `direction`."""
    return {
        name: array + distance * direction[name] if name in direction else array
        for name, array in point.numbers.items()
    }


def basis(point: Point) -> Iterator[tuple[str, int, Numbers]]:
    """For each entry the name of its array, its flat index there, and the direction that moves it alone."""
    for name, numbers in point.numbers.items():
        for index in range(numbers.size):
            unit = np.zeros(numbers.size, np.longdouble)
            unit[index] = 1
            yield name, index, {name: unit.reshape(numbers.shape)}


def _twice(point: Point, one: Mapping[str, Any], a: Any, other: Mapping[str, Any], b: Any) -> Numbers:
    once = moved(point, one, a)
    return {name: array + b * other[name] if name in other else array for name, array in once.items()}
