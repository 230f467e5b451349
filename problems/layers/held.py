"""A linear layer whose matrix is no parameter: a constant, such as those of a fixed map."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own


@dataclass(frozen=True, eq=False)
class Held:
    """y = x M^T with a constant M of shape (fan out, fan in), a float64 NumPy array rounded to the dtype.

    pullback: dx = dy M; pushforward and difference: dy = dx M^T. Nothing but x moves.
    """

    matrix: Any
    arrays: Arrays
    pulls_several = True

    def __post_init__(self) -> None:
        # Rounded now: where JAX traces a function, what is made inside belongs to the trace.
        _ = self._here

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """It has no parameters."""
        return {}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, fan out)."""
        return input_shape[0], self.matrix.shape[0]

    def flops(self, rows: int) -> float:
        """Two for each entry of the matrix and row."""
        return 2.0 * rows * int(self.matrix.size)

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for dx."""
        return self.flops(rows) if input_gradient else 0.0

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y; nothing is saved."""
        return self._times(x, transposed=True), None

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = dy M."""
        return (self._times(dy) if input_gradient else None), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = dx M^T."""
        return None if dx is None else self._times(dx, transposed=True)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = dx M^T."""
        return self.pushforward(p, None, dx, None)

    @cached_property
    def _here(self) -> Array:
        return self.arrays.array(self.matrix)

    def _times(self, x: Array, *, transposed: bool = False) -> Array:
        """x M or x M^T as one product of all rows, whatever leads them; in the dtype of x, complex or not."""
        xp = self.arrays.xp
        matrix = self._here if x.dtype == self._here.dtype else xp.astype(self._here, x.dtype)
        flat = xp.matmul(
            xp.reshape(x, (-1, x.shape[-1])), xp.matrix_transpose(matrix) if transposed else matrix
        )
        return xp.reshape(flat, (*x.shape[:-1], flat.shape[-1]))
