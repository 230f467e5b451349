"""The activation layer h = sigma(z)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import BACKENDS, Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Own
from problems.layers.differences import DIFFERENCES_INTO
from problems.layers.in_buffers import IN_BUFFERS
from problems.layers.jumping import ACTIVATIONS, DIFFERENCES
from problems.layers.nonlinearities import Nonlinearity


@dataclass(frozen=True)
class Activation:
    """h = sigma(z), number by number; pullback dz = dh * sigma'(z), pushforward dh = sigma'(z) * dz.

    Raises `UsageError` on a backend or in a dtype that lacks a function which sigma is made of.
    """

    name: str
    arrays: Arrays
    pulls_several = True
    overwrites_input = True

    def __post_init__(self) -> None:
        arrays, dtypes = self.arrays, self.formula.dtypes
        if arrays.dtype not in dtypes.get(arrays.backend, ()):
            allowed = "; ".join(f"{each} ({', '.join(dtypes[each])})" for each in BACKENDS if each in dtypes)
            raise UsageError(
                f"`{self.name}` needs a function that {arrays.backend} lacks in {arrays.dtype}: choose "
                f"another activation, or one of {allowed}."
            )

    @cached_property
    def formula(self) -> Nonlinearity:
        """sigma and its derivative."""
        return ACTIVATIONS[self.name]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """An activation has no parameters."""
        return {}

    def flops(self, rows: int) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """h, and what sigma' needs of the pair (z, h): the other one is None, so that nobody keeps it."""
        h = self.formula.value(self.arrays, x)
        return h, ((None, h) if self.formula.from_value else (x, None))

    def derivative(self, saved: Any) -> Array:
        """sigma'(z)."""
        return self.formula.derivative(self.arrays, *saved)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dz = dh * sigma'(z)."""
        return (dy * self.derivative(saved) if input_gradient else None), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dh = sigma'(z) * dz."""
        return None if dx is None else self.derivative(saved) * dx

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """sigma(z + dz) - sigma(z)."""
        return None if dx is None else DIFFERENCES[self.name](self.arrays, x, dx)

    @property
    def differences_in_place(self) -> bool:
        """Whether there is a short formula from h and sigma'."""
        return self.name in DIFFERENCES_INTO and self.arrays.backend in ("numpy", "torch")

    def difference_into(self, y: Array, slope: Array, d: Array, room: Array) -> None:
        """Write sigma(z + d) - sigma(z) over `d`, for |d| of at most 1."""
        DIFFERENCES_INTO[self.name](self._library, y, slope, d, room)

    @property
    def works_in_place(self) -> bool:
        """Whether sigma' can be had from h alone, so that z need not be kept."""
        return self.name in IN_BUFFERS and self.arrays.backend in ("numpy", "torch")

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of z."""
        return input_shape

    def forward_into(self, p: Own, x: Any, y: Any) -> None:
        """Write sigma(x) into `y`, which may be `x`."""
        IN_BUFFERS[self.name].value(self._library, x, y)

    def derivative_into(self, y: Any, slope: Any) -> None:
        """Write sigma'(z) into `slope`, from y = sigma(z)."""
        IN_BUFFERS[self.name].derivative(self._library, y, slope)

    def pullback_into(self, p: Own, x: Any, y: Any, dy: Any, dx: Any | None, dp: Own) -> None:
        """Write dz = dh * sigma'(z) into `dx`, with sigma' taken from y = sigma(z)."""
        if dx is not None:
            IN_BUFFERS[self.name].pullback(self._library, y, dy, dx)

    @property
    def _library(self) -> Any:
        """NumPy or torch itself: the compatibility layer costs a microsecond a call. No module is kept, or
        the layer could not be pickled."""
        return np if self.arrays.backend == "numpy" else self.arrays.xp
