"""How much of a function's value is noise: measured along a line, or between two arithmetics."""

from typing import Any

import numpy as np

from gradmark.judging.checking.carried import Carried
from gradmark.random import generator
from gradmark.reference.noise import noise

_NEARBY = 2.0**-10
"""How far, relative to the point, the points are at which two arithmetics are compared."""


def along_a_line(function: Carried, x: Any, unit: float) -> float:
    """The standard deviation of a value's noise, from 16 or 32 evaluations.

    Entries move in proportion, so that a small one beside large ones stays in its domain; a point of zeros
    moves by its `unit`. Not a number where the function is none nearby.
    """
    step = x if np.any(x) else np.full(x.size, unit, np.longdouble)
    step = step * np.where(np.arange(x.size) % 2, 0.75, -1.25)
    return noise(lambda offsets: [function(x + t * step) for t in offsets], function.epsilon)


def between(narrow: Carried, wide: Carried, x: Any, points: int) -> float:
    """The largest difference of the values in two arithmetics, at `points` points near `x`."""
    found = [0.0]
    for index in range(points):
        factors = 1 + _NEARBY * generator(0, "judge", 50, index).uniform(-1, 1, x.size)
        point = narrow.objective.space.rounded(x * factors)
        found.append(float(abs(narrow(point) - wide(point))))
    return max(found)
