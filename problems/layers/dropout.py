"""Dropout: units left out at random, by a mask that the draw holds."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own


@dataclass(frozen=True)
class Dropout:
    """y = mask * x, each number of the mask 0 with probability `rate` and else 1 / (1 - rate).

    So the mean of y over masks is x: inverted dropout (Srivastava et al. 2014). The array named `mask` of the
    draw has shape (rows, positions * units): every recomputation, and every member of a population, meets the
    same one. `positions` is how many rows of x belong to one row of the batch.

    pullback: dx = mask * dy; pushforward: dy = mask * dx.
    """

    units: int
    rate: float
    mask: str
    arrays: Arrays
    positions: int = 1

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Dropout has no parameters."""
        return {}

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """The mask for `rows` rows of the batch."""
        kept = random.random((rows, self.positions * self.units)) >= self.rate
        return {self.mask: kept / (1 - self.rate)}

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
        """y, and the mask, which the draw holds already."""
        mask = self.arrays.xp.reshape(draw.arrays[self.mask], (-1, self.units))
        return mask * x, mask

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = mask * dy."""
        return (saved * dy if input_gradient else None), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = mask * dx."""
        return None if dx is None else saved * dx

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = mask * dx."""
        return None if dx is None else self.forward(p, dx, draw)[0]
