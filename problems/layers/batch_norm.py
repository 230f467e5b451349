"""Batch normalisation: each unit standardised over the rows of the batch."""

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
class BatchNorm:
    """y = weight * (x - m) / sqrt(v + epsilon) + bias, m and v of each unit over the rows.

    (Ioffe and Szegedy 2015.) v is biased; m and v are differentiated through, unless `statistics` gives them
    as constants (frozen, as in torch's eval mode). Raises `UsageError` for one row without them.

    pullback: with x^ the standardised input, d weight = sum over rows of dy x^, d bias = sum of dy, and dx as
    in `standardising`, of weight * dy; pushforward is its mirror.
    """

    units: int
    arrays: Arrays
    epsilon: float = EPSILON
    statistics: Statistics | None = None

    def __post_init__(self) -> None:
        # Made here and not when first used, which may be inside of a trace of JAX.
        self._constants  # noqa: B018

    @cached_property
    def _constants(self) -> tuple[Array, Array] | None:
        """m and 1 / sqrt(v + epsilon), where they are constants."""
        return None if self.statistics is None else self.statistics.constants(self.arrays, self.epsilon)

    @property
    def couples_rows(self) -> bool:
        """An output depends on all rows, unless the statistics are constants."""
        return self.statistics is None

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
        """The statistics of `x` as constants."""
        mean, _, variance = centred(self.arrays.xp, x, axis=-2)
        return Statistics(to_numpy(mean)[0].astype(np.float64), to_numpy(variance)[0].astype(np.float64))

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and the standardised input with the factor 1 / sqrt(v + epsilon) of each unit."""
        if self._constants is not None:
            mean, s = self._constants
            standard = (x - mean) * s
        else:
            check_rows(x.shape[-2])
            if torch_norms.takes(self.arrays, p, x, axes=2):
                return torch_norms.batch_norm(self.arrays.xp, p, x, self.epsilon)
            standard, s = standardised(self.arrays, x, -2, self.epsilon)
        return scaled_and_shifted(p, standard), (standard, s)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx, d weight and d bias.

        The sums over the rows in J (weight * dy) are those of d weight and d bias, so that
        dx = s weight (dy - d bias / n - x^ d weight / n).
        """
        xp = self.arrays.xp
        if len(saved) > 2:
            return torch_norms.batch_norm_pullback(xp, p, saved, dy, self.epsilon, input_gradient)
        standard, s = saved
        own = {"weight": xp.sum(dy * standard, axis=-2), "bias": xp.sum(dy, axis=-2)}
        if not input_gradient:
            return None, own
        if self.statistics is None:
            mean = {name: array[..., None, :] / dy.shape[-2] for name, array in own.items()}
            dy = dy - mean["bias"] - standard * mean["weight"]
        return s * p["weight"] * dy, own

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = weight * J dx + d weight * x^ + d bias."""
        standard, s = torch_norms.standard(saved)
        moved = moved_by_parameters(self.arrays.xp, standard, dp)
        if dx is None:
            return moved
        if self.statistics is None:
            dy = p["weight"] * derivative_along(self.arrays.xp, standard, s, dx, -2)
        else:
            dy = p["weight"] * s * dx
        return dy if moved is None else dy + moved

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = (weight + d weight) dx^ + d weight x^ + d bias, dx^ as in `standardising`."""
        if self._constants is None:
            standard, moved = standardised_difference(self.arrays, x, dx, -2, self.epsilon)
        else:
            mean, s = self._constants
            standard, moved = (x - mean) * s, None if dx is None else dx * s
        return scaled_difference(self.arrays.xp, p, standard, moved, dp)


def check_rows(rows: int, where: str = "") -> None:
    """Raise `UsageError` for statistics of one row; `where` says whose rows they are."""
    if rows < 2:
        raise UsageError(
            f"{where}batch normalisation cannot take a batch of one row: the variance of one row is zero and "
            "the output does not depend on the input; take two rows or more, or normalisation=layer."
        )
