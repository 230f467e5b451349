"""The error that a difference expects of itself, from the noise and the derivative behind its step."""

import math
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from methods.finite_difference.stencils import Stencil
from methods.finite_difference.steps.choosing import Found

_SAFETY = 3.0
"""Noise and derivative are known from few coordinates. Three times what they make of an error covers nineteen
errors in twenty (`benchmarks.speed.steps` counts)."""


class Erring:
    """Adds up the squares of what the arrays of a gradient err."""

    def __init__(self, stencil: Stencil) -> None:
        self._stencil = stencil
        self._square: float | None = 0.0

    def add(self, found: Found | None, h: Array) -> None:
        """One array with the step `h` of each coordinate; without a finding nothing is known of the whole."""
        if self._square is None or math.prod(h.shape) == 0:
            return
        if found is None:
            self._square = None
            return
        steps: Any = np.abs(np.asarray(to_numpy(h), np.float64))
        self._square += float(np.sum(found.squared_error(self._stencil, steps)))

    def total(self) -> float | None:
        """What the 2-norm of the error is hardly ever above, or None."""
        return None if self._square is None else _SAFETY * math.sqrt(self._square)
