"""ECnoise: how much of a computed function is noise, from a table of differences.

Differences of order k of a smooth function at m + 1 equally spaced points vanish with the spacing, and those
of independent noise of standard deviation e do not: sigma_k^2 = (k!)^2 / (2k)! mean (Delta^k f)^2 has the
mean e^2 for every k (Hamming 1971; More and Wild 2011, "Estimating computational noise", SIAM J. Sci. Comput.
33).
"""

from dataclasses import dataclass
from math import factorial
from typing import Any, Literal

import numpy as np

POINTS = 7
"""More and Wild use 6 differences and more, and find that 8 add little."""
_ALIKE = 4.0
"""Three levels in a row that agree within this factor are those of noise."""
_CHANGES = 0.5
"""The share of neighbouring differences whose signs differ: 2/3 for first differences of noise, more for
higher ones; none for those of a smooth function."""
_KINKED = 10.0
"""A line whose differences are so many times those of most lines is left out: it crosses a kink, or a bend so
narrow that its points see a kink. Noise never differs so much, even from a single difference a line."""
_STILL = 0.5
"""Where more than this share of the values equal their neighbours, the points are too close."""


@dataclass(frozen=True)
class NoiseLevel:
    """The standard deviation of the noise; `verdict` says whether the spacing was one that shows it."""

    level: float
    verdict: Literal["found", "too close", "too far"]


def ecnoise(values: Any) -> NoiseLevel:
    """The noise of a function, from values of shape (n, m + 1) at m + 1 equally spaced points on n lines.

    The level is that of the least order k at which levels k to k + 2 agree within a factor of four and half
    of the differences change sign; all lines count as samples of one noise. Where none does, it is the level
    of the highest order.
    """
    values = np.atleast_2d(values)
    differences, levels, changing = values, [], []
    for order in range(1, values.shape[1]):
        differences = np.diff(differences, axis=1)
        weight = factorial(order) ** 2 / factorial(2 * order)
        levels.append(float(np.sqrt(weight * _typical(np.mean(differences**2, axis=1)))))
        opposite = differences[:, 1:] * differences[:, :-1] < 0
        changing.append(bool(opposite.size and np.mean(opposite) >= _CHANGES))
    if np.mean(np.diff(values, axis=1) == 0) > _STILL:
        return NoiseLevel(levels[-1], "too close")
    for order in range(len(levels) - 2):
        near = levels[order : order + 3]
        if changing[order] and max(near) <= _ALIKE * min(near):
            return NoiseLevel(levels[order], "found")
    return NoiseLevel(levels[-1], "too far")


def _typical(squares: Any) -> float:
    """The mean over the lines, but for those that cross a kink."""
    median = np.median(squares)
    return float(np.mean(squares[squares <= _KINKED**2 * median])) if median > 0 else float(np.mean(squares))


def rounding_floor(values: Any, epsilon: float) -> float:
    """The least noise that values of this size can have: their own rounding.

    It is uniform over eps |f| / 2 to eps |f|, so that its standard deviation is 0.14 to 0.29 eps |f|; a few
    values of a function may all happen to be exact.
    """
    return epsilon / 8 * float(np.max(np.abs(values)))
