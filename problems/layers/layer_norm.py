"""Layer normalisation: each row standardised over its units."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers import torch_norms
from problems.layers.standardising import (
    EPSILON,
    Statistics,
    centred,
    derivative_along,
    moved_by_parameters,
    scaled_and_shifted,
    scaled_difference,
    standardised,
    standardised_difference,
)


@dataclass(frozen=True)
class LayerNorm:
    """y = weight * (x - m) / sqrt(v + epsilon) + bias, m and v of each row over its units.

    (Ba, Kiros and Hinton 2016.) v is biased; m and v are differentiated through, unless `statistics` gives
    them as constants (frozen). A constant cannot belong to a row that has not been seen, so they are then one
    m and one v for all rows: the averages over the rows that were measured. Raises `UsageError` for one unit,
    whose output would not depend on the input.

    pullback: with x^ the standardised input, d weight = sum over rows of dy x^, d bias = sum of dy, and dx as
    in `standardising`, of weight * dy; pushforward is its mirror.
    """

    units: int
    arrays: Arrays
    epsilon: float = EPSILON
    statistics: Statistics | None = None

    def __post_init__(self) -> None:
        if self.units < 2:
            raise UsageError(
                "layer normalisation cannot take a single unit: the variance of one number is zero and the "
                "output does not depend on the input; take two units or more."
            )
        # Made here and not when first used, which may be inside of a trace of JAX.
        self._constants  # noqa: B018

    @cached_property
    def _constants(self) -> tuple[Array, Array] | None:
        """m and 1 / sqrt(v + epsilon), where they are constants."""
        return None if self.statistics is None else self.statistics.constants(self.arrays, self.epsilon)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """One number for each unit."""
        return {"weight": (self.units,), "bias": (self.units,)}

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Scale one, shift zero."""
        return {"weight": np.ones(self.units), "bias": np.zeros(self.units)}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of x."""
        return input_shape

    def flops(self, rows: int) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero."""
        return 0.0

    def measured(self, x: Array) -> Statistics:
        """The average of the rows' means and of their variances, as constants of shape (1,)."""
        mean, _, variance = centred(self.arrays.xp, x, axis=-1)
        return Statistics(*(np.mean(to_numpy(each), axis=0).astype(np.float64) for each in (mean, variance)))

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and the standardised input with the factor 1 / sqrt(v + epsilon) of each row."""
        if self._constants is not None:
            mean, s = self._constants
            standard = (x - mean) * s
        elif torch_norms.takes(self.arrays, p, x, axes=3):
            return torch_norms.layer_norm(self.arrays.xp, p, x, self.epsilon)
        else:
            standard, s = standardised(self.arrays, x, -1, self.epsilon)
        return scaled_and_shifted(p, standard), (standard, s)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx, d weight and d bias."""
        xp = self.arrays.xp
        if len(saved) > 2:
            return torch_norms.layer_norm_pullback(xp, p, saved, dy, input_gradient)
        standard, _ = saved
        own = {"weight": xp.sum(dy * standard, axis=-2), "bias": xp.sum(dy, axis=-2)}
        return (self._along(saved, p["weight"] * dy) if input_gradient else None), own

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = weight * J dx + d weight * x^ + d bias."""
        saved = torch_norms.standard(saved)
        moved = moved_by_parameters(self.arrays.xp, saved[0], dp)
        if dx is None:
            return moved
        dy = p["weight"] * self._along(saved, dx)
        return dy if moved is None else dy + moved

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = (weight + d weight) dx^ + d weight x^ + d bias, dx^ as in `standardising`."""
        if self._constants is None:
            standard, moved = standardised_difference(self.arrays, x, dx, -1, self.epsilon)
        else:
            mean, s = self._constants
            standard, moved = (x - mean) * s, None if dx is None else dx * s
        return scaled_difference(self.arrays.xp, p, standard, moved, dp)

    def _along(self, saved: Any, d: Array) -> Array:
        """J d, J being symmetric."""
        standard, s = saved
        return s * d if self.statistics is not None else derivative_along(self.arrays.xp, standard, s, d, -1)
