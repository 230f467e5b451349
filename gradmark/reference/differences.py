"""Central differences over a ladder of steps, extrapolated: a reference that reads nothing but the loss.

The steps are relative to each array, and to an entry that is larger than its array. Where one-sided slopes
differ (a kink) half of their difference is part of the uncertainty.
"""

from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Reads
from gradmark.measuring.norms import norm
from gradmark.parameters import size
from gradmark.population import losses, members_per_chunk
from gradmark.reference import cost
from gradmark.reference.ladder import STEPS, Slopes, slopes
from gradmark.reference.point import Point
from gradmark.reference.rounding import Computed
from gradmark.reference.scale import room
from gradmark.reference.slope import noise_level

NAME = "extrapolated differences"
READS: frozenset[Reads] = frozenset({"loss"})


def impossible(point: Point) -> str | None:
    """It needs room on both sides of the point, and 28 evaluations for each parameter."""
    if any(np.any(room(array, point.problem.bounds) <= 0) for array in point.numbers.values()):
        return "a parameter lies on the bound of its domain"
    return cost.too_long(point, 2 * len(STEPS) * size(point.parameters), cost.LAST_RESORT)


def estimate(point: Point) -> Computed:
    """The gradient with the error that the ladder shows."""
    level = noise_level(point)
    found = {name: _of_array(point, name, level) for name in point.parameters}
    return Computed(
        {name: each.value.reshape(point.numbers[name].shape) for name, each in found.items()},
        {name: norm(each.error + each.jump / 2) for name, each in found.items()},
        point.dtype,
    )


def _of_array(point: Point, name: str, level: float) -> Slopes:
    numbers = point.numbers[name]
    unit = np.maximum(np.abs(numbers), point.typical_sizes[name])
    unit = np.minimum(unit, room(numbers, point.problem.bounds)).ravel()
    count, centre = numbers.size, point.loss(point.numbers)
    chunk = max(1, members_per_chunk(point.problem, point.draw, count) // (2 * len(STEPS)))
    parts = []
    for start in range(0, count, chunk):
        steps = STEPS[:, None] * unit[start : start + chunk]
        plus, minus = (_values(point, name, start, side * steps) for side in (1, -1))
        parts.append(slopes(plus, minus, centre, steps, level))
    return Slopes(*(np.concatenate([getattr(part, f) for part in parts]) for f in ("value", "error", "jump")))


def _values(point: Point, name: str, start: int, offsets: Any) -> Any:
    """The loss with entry start + j of array `name` moved by offsets[i, j]; the shape of `offsets`."""
    numbers, arrays = point.numbers[name], point.problem.arrays
    rungs, count = offsets.shape
    members = np.tile(numbers.ravel(), (rungs, count, 1))
    entries = np.arange(count)
    members[:, entries, start + entries] += offsets
    named = {name: arrays.array(members.reshape(rungs * count, *numbers.shape))}
    with np.errstate(all="ignore"):
        found = losses(point.problem, named, point.parameters, point.draw)
    return to_numpy(found).astype(np.longdouble).reshape(rungs, count)
