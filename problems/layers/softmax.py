"""The softmax of each row's units."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.layers.nonlinearities import real_part


@dataclass(frozen=True)
class Softmax:
    """y = exp(x) / sum of exp(x) over the units of each row; J = diag(y) - y y^T.

    J is symmetric, so pullback and pushforward are the same map: y * (d - <y, d>). The largest unit is taken
    off first, so that nothing overflows.
    """

    arrays: Arrays

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """A softmax has no parameters."""
        return {}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of x."""
        return input_shape

    def flops(self, rows: int) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero."""
        return 0.0

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, which is all that J needs."""
        xp = self.arrays.xp
        e = xp.exp(x - xp.max(real_part(xp, x), axis=-1, keepdims=True))
        y = e / xp.sum(e, axis=-1, keepdims=True)
        return y, y

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = J dy."""
        return (self._along(saved, dy) if input_gradient else None), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = J dx."""
        return None if dx is None else self._along(saved, dx)

    def _along(self, y: Array, d: Array) -> Array:
        return y * (d - self.arrays.xp.sum(y * d, axis=-1, keepdims=True))
