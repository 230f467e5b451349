"""Derivatives of a problem's loss along directions, by real differences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.reference.ladder import STEPS, Slopes, slopes
from gradmark.reference.noise import noise
from gradmark.reference.point import Numbers, Point, random_direction
from gradmark.reference.scale import room

EVALUATIONS = 2 * len(STEPS) + 1
"""Evaluations of the loss that one slope takes."""


def slope(point: Point, direction: Mapping[str, Any], level: float) -> Slopes:
    """The derivative along `direction` (a name left out does not move); each field has shape (1,).

    `level` is the noise of the loss (`noise_level`).
    """
    unit = _unit(point, direction)
    values = [[_moved(point, direction, side * step * unit) for step in STEPS] for side in (1, -1)]
    plus, minus = (np.asarray(side)[:, None] for side in values)
    return slopes(plus, minus, point.loss(point.numbers), unit * STEPS[:, None], level)


def noise_level(point: Point) -> float:
    """The standard deviation of the loss's rounding, from one random direction through all parameters."""
    direction = random_direction({name: array.shape for name, array in point.numbers.items()}, 2)
    unit = _unit(point, direction)
    return noise(lambda offsets: [_moved(point, direction, t * unit) for t in offsets], point.epsilon)


def _unit(point: Point, direction: Mapping[str, Any]) -> float:
    """What steps along `direction` are taken relative to: the least of what its arrays are and may."""
    rooms = (float(np.min(room(point.numbers[name], point.problem.bounds))) for name in direction)
    return min(*(point.typical_sizes[name] for name in direction), *rooms)


def _moved(point: Point, direction: Mapping[str, Any], distance: float) -> Any:
    moved: Numbers = {
        name: array + distance * direction[name] if name in direction else array
        for name, array in point.numbers.items()
    }
    return point.loss(moved)
