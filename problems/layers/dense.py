"""The dense layer z = x W^T + b."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.changed import changed


@dataclass(frozen=True)
class Dense:
    """z = x W^T + b with W of shape (fan_out, fan_in), b of shape (fan_out,) and x of shape (rows, fan_in).

    pullback: dx = dz W, dW = dz^T x (a sum over rows of outer products), db = sum over rows of dz.
    pushforward: dz = dx W^T + x dW^T + db.
    """

    fan_in: int
    fan_out: int
    arrays: Arrays
    parts: int = 1
    """How many maps of the same x are stacked in W: each starts by itself."""
    pulls_several = True
    overwrites_input = False

    @property
    def works_in_place(self) -> bool:
        """NumPy and torch can write a product into a buffer."""
        return self.arrays.backend in ("numpy", "torch")

    @cached_property
    def _ones(self) -> dict[int, Any]:
        """Vectors of ones by their length: to make one anew costs as much as a small product."""
        return {}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of weight and bias."""
        return {"weight": (self.fan_out, self.fan_in), "bias": (self.fan_out,)}

    def flops(self, rows: int) -> float:
        """Two for each weight and row."""
        return 2.0 * rows * self.fan_in * self.fan_out

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for dW, and as many again for dx."""
        return (2 if input_gradient else 1) * self.flops(rows)

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Weights as `weights` draws them for each part, and biases of zero."""
        first, *others = (weights(random, self.fan_in, self.fan_out // self.parts) for _ in range(self.parts))
        weight = np.concatenate([first, *others]) if others else first
        return {"weight": weight, "bias": np.zeros(self.fan_out)}

    @cached_property
    def _fused(self) -> Any:
        """torch's one-call x W^T + b; elsewhere None."""
        return self.arrays.xp.nn.functional.linear if self.arrays.backend == "torch" else None

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """z, and x."""
        weight, bias = p["weight"], p["bias"]
        if self._fused is not None and weight.ndim == 2 and bias.ndim == 1:
            return self._fused(x, weight, bias), x
        return self._times_transposed(x, weight) + bias[..., None, :], x

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = dz W, dW = dz^T x, db = 1^T dz."""
        own = self.own_gradient(p, saved, dy)
        return (self.arrays.xp.matmul(dy, p["weight"]) if input_gradient else None), own

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """dW = s^T x, db = 1^T s: the nodes are z."""
        xp = self.arrays.xp
        return {"weight": xp.matmul(xp.matrix_transpose(s), saved), "bias": xp.sum(s, axis=-2)}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dz = dx W^T + x dW^T + db."""
        dz = None if dx is None else self._times_transposed(dx, p["weight"])
        if dp and "weight" in dp:
            moved = self._times_transposed(saved, dp["weight"])
            dz = moved if dz is None else dz + moved
        if dp and "bias" in dp:
            bias = dp["bias"][..., None, :]
            if dz is None:
                rows, xp = saved.shape[-2], self.arrays.xp
                return xp.broadcast_to(bias, (*bias.shape[:-2], rows, self.fan_out))
            dz = dz + bias
        return dz

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dz = dx (W + dW)^T + x dW^T + db."""
        return self.pushforward(changed(p, dp), x, dx, dp)

    def _times_transposed(self, x: Array, weight: Array) -> Array:
        """x W^T; where only x carries a leading axis, as one product of all its rows."""
        xp = self.arrays.xp
        if x.ndim == 3 and weight.ndim == 2:
            flat = xp.matmul(xp.reshape(x, (-1, x.shape[-1])), xp.matrix_transpose(weight))
            return xp.reshape(flat, (x.shape[0], x.shape[1], weight.shape[0]))
        return xp.matmul(x, xp.matrix_transpose(weight))

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, fan_out)."""
        return input_shape[0], self.fan_out

    def forward_into(self, p: Own, x: Any, y: Any) -> None:
        """Write z into `y`, a C-contiguous buffer."""
        if self.arrays.backend == "torch":
            self.arrays.xp.addmm(p["bias"], x, p["weight"].T, out=y)
        else:
            np.dot(x, p["weight"].T, y)
            np.add(y, p["bias"], y)

    def pullback_into(self, p: Own, x: Any, y: Any, dy: Any, dx: Any | None, dp: Own) -> None:
        """Write dW, db and dx (unless it is None)."""
        # A product with ones sums the rows several times faster than a sum over the leading axis.
        ones = self._ones.get(dy.shape[0])
        if ones is None:
            ones = self._ones[dy.shape[0]] = self.arrays.xp.ones_like(dy[:, 0])
        if self.arrays.backend == "torch":
            xp = self.arrays.xp
            xp.mm(dy.T, x, out=dp["weight"])
            xp.mv(dy.T, ones, out=dp["bias"])
            if dx is not None:
                xp.mm(dy, p["weight"], out=dx)
            return
        np.dot(dy.T, x, dp["weight"])
        np.dot(ones, dy, dp["bias"])
        if dx is not None:
            np.dot(dy, p["weight"], dx)
