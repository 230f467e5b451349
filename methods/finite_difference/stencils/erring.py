"""The error that a difference expects of itself, from the noise and the derivative behind its step."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from methods.finite_difference.stencils.together import Missed
from methods.finite_difference.stencils.weights import Stencil
from methods.finite_difference.steps.choosing import Found

_SAFETY = 3.0
"""Noise and derivative are known from few coordinates. Three times what they make of an error covers nineteen
errors in twenty (`benchmarks.speed.steps` counts)."""


class Erring:
    """Adds up the squares of what the arrays of a gradient err."""

    def __init__(self, stencil: Stencil, epsilon: float) -> None:
        self._stencil, self._epsilon = stencil, epsilon
        self._square: float | None = 0.0

    def add(
        self,
        found: Found | None,
        h: Array,
        slopes: Array,
        losses: Sequence[Array] = (),
        missed: Missed | None = None,
    ) -> None:
        """An array of rounded `slopes` with the step `h` of each, and `losses` on the way.

        What was `missed` counts where it is clear of what is expected. Without `found` all is unknown.
        """
        if self._square is None or math.prod(h.shape) == 0:
            return
        if found is None:
            self._square = None
            return
        steps: Any = np.abs(np.asarray(to_numpy(h), np.float64))
        sizes = [np.abs(np.asarray(to_numpy(each), np.float64)) for each in losses]
        largest: Any = np.max(sizes, axis=0) if sizes else 0.0
        rounding = self._epsilon / 4 * np.asarray(to_numpy(slopes), np.float64)
        with np.errstate(over="ignore"):  # an error beyond all numbers is infinite
            square = float(np.sum(found.squared_error(self._stencil, steps, largest) + rounding**2))
        self._square += square + _clear(missed, square, found.noise)

    def total(self) -> float | None:
        """What the 2-norm of the error is hardly ever above, or None."""
        return None if self._square is None else _SAFETY * math.sqrt(self._square)


def _clear(missed: Missed | None, square: float, noise: float) -> float:
    """The square of what an error that is expected to have this `square` would not cover."""
    if missed is None:
        return 0.0
    pairs = zip((missed.of_slopes, missed.of_kinks), missed.noises, strict=True)
    return max(
        size**2 if size > _SAFETY * math.hypot(math.sqrt(square), noise * own) else 0.0 for size, own in pairs
    )
