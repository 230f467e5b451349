"""The noise of a computed function: how much of its value is rounding.

Along a line, high differences of a smooth function vanish and those of its rounding do not:
sigma_k^2 = (k!)^2 / (2k)! mean (Delta^k f)^2 (More and Wild 2011, "Estimating computational noise", SIAM J.
Sci. Comput. 33).
"""

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np

_POINTS = 16
_ORDER = 6
_SPACINGS = (2.0**-40, 2.0**-20)
"""Of the parameters' size. The first is far below anything that a smooth function does. A function that is
computed in float32 inside, or is near its minimum, does not move so little; the second it can tell."""
_DISTINCT = 12
"""How many of the values must differ for the spacing to be one that the function can tell."""


def noise(along: Callable[[Any], Any], epsilon: float) -> float:
    """The standard deviation of the rounding of ``along(t)``, which takes offsets t of shape (points,).

    At least a quarter of the `epsilon` of the value. All offsets are positive: a kink at t = 0 is no noise.
    """
    level = floor = 0.0
    for spacing in _SPACINGS:
        values = np.asarray(along(spacing * np.arange(1, _POINTS + 1)), np.longdouble)
        floor = epsilon / 4 * float(np.max(np.abs(values)))
        level = _level(values)
        if np.unique(values).size >= _DISTINCT:
            break
    return max(level, floor)


def _level(values: Any) -> float:
    weight = factorial(_ORDER) ** 2 / factorial(2 * _ORDER)
    return float(np.sqrt(weight * np.mean(np.diff(values, _ORDER) ** 2)))
