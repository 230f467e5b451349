"""The affine layer without a bias z = x W^T, for where a normalisation would take the bias off again."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.changed import changed


@dataclass(frozen=True)
class Linear:
    """z = x W^T with W of shape (fan_out, fan_in); x has shape (rows, fan_in).

    pullback: dx = dz W, dW = dz^T x; pushforward: dz = dx W^T + x dW^T.
    """

    fan_in: int
    fan_out: int
    arrays: Arrays
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of the weight."""
        return {"weight": (self.fan_out, self.fan_in)}

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Weights as `weights` draws them."""
        return {"weight": weights(random, self.fan_in, self.fan_out)}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, fan_out)."""
        return input_shape[0], self.fan_out

    def flops(self, rows: int) -> float:
        """Two for each weight and row."""
        return 2.0 * rows * self.fan_in * self.fan_out

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for dW, and as many again for dx."""
        return (2 if input_gradient else 1) * self.flops(rows)

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """z, and x."""
        return self._times_transposed(x, p["weight"]), x

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = dz W, dW = dz^T x."""
        own = self.own_gradient(p, saved, dy)
        return (self.arrays.xp.matmul(dy, p["weight"]) if input_gradient else None), own

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """dW = s^T x: the nodes are z."""
        xp = self.arrays.xp
        return {"weight": xp.matmul(xp.matrix_transpose(s), saved)}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dz = dx W^T + x dW^T."""
        dz = None if dx is None else self._times_transposed(dx, p["weight"])
        if not dp:
            return dz
        moved = self._times_transposed(saved, dp["weight"])
        return moved if dz is None else dz + moved

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dz = dx (W + dW)^T + x dW^T."""
        return self.pushforward(changed(p, dp), x, dx, dp)

    def _times_transposed(self, x: Array, weight: Array) -> Array:
        return self.arrays.xp.matmul(x, self.arrays.xp.matrix_transpose(weight))
