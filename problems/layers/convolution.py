"""The 2-d convolution of images, which is a cross-correlation: the kernel is not turned round."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers import torch_convolution
from problems.layers.changed import changed
from problems.layers.windows import Windows, real_on_torch, units


@dataclass(frozen=True)
class Convolution:
    """y[o, q] = b[o] + sum over c, i, j of W[o, c, i, j] x[c, stride q + (i, j) - padding], 0 outside of x.

    x has the shape (rows, channels_in * height * width), channel by channel; W (channels_out, channels_in,
    kernel, kernel); b (channels_out,).

    With the patches X, which hold for every position q of every row the numbers under the kernel, it is one
    matrix product y = W X + b, as are the pullback's dW = dy X^T and W^T dy; dx adds up the latter where the
    patches overlap. x alone is saved: the patches are kernel^2 times as many numbers, and to cut them again
    takes NumPy about a twentieth of a gradient. torch has its own products for real numbers
    (`torch_convolution`).
    """

    channels_in: int
    channels_out: int
    height: int
    width: int
    kernel: int
    stride: int
    padding: int
    arrays: Arrays

    @cached_property
    def windows(self) -> Windows:
        """Where the kernel stands."""
        return Windows(self.height, self.width, self.kernel, self.stride, self.padding)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of weight and bias."""
        weight = (self.channels_out, self.channels_in, self.kernel, self.kernel)
        return {"weight": weight, "bias": (self.channels_out,)}

    def flops(self, rows: int) -> float:
        """Two for each weight, row and position; those with a zero of the padding too, as torch counts."""
        return 2.0 * rows * self.windows.positions * self.channels_out * self._fan

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for dW, and as many again for dx."""
        return (2 if input_gradient else 1) * self.flops(rows)

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Weights as `weights` draws the matrix that patches are multiplied by, and biases of zero."""
        matrix = weights(random, self._fan, self.channels_out)
        return {
            "weight": matrix.reshape(self.shapes()["weight"]),
            "bias": np.zeros(self.channels_out),
        }

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, channels_out * positions)."""
        return input_shape[0], self.channels_out * self.windows.positions

    def widest(self, input_shape: tuple[int, int]) -> int:
        """The patches of all rows, which torch's own products do without, or y."""
        patch = 0 if self.arrays.backend == "torch" else self._fan
        return input_shape[0] * self.windows.positions * max(patch, self.channels_out)

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and x."""
        weight, bias = p["weight"], p["bias"]
        if weight.ndim == 4 and bias.ndim == 1 and real_on_torch(self.arrays, x, weight, bias):
            return torch_convolution.correlated(self, x, weight, bias), x
        return self._correlated(x, weight) + self._everywhere(bias), x

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = W^T dy summed over the patches, dW = dy X^T, db = sum over rows and positions of dy."""
        own = self.own_gradient(p, saved, dy)
        if not input_gradient:
            return None, own
        if real_on_torch(self.arrays, saved, p["weight"], dy):
            return torch_convolution.input_gradient(self, p["weight"], dy), own
        xp, windows = self.arrays.xp, self.windows
        d = self._by_channel(dy)
        matrix = xp.reshape(p["weight"], (self.channels_out, self._fan))
        shape = (self.channels_in, self.kernel**2, windows.out_height, windows.out_width, dy.shape[-2])
        d_patches = xp.reshape(xp.matmul(xp.matrix_transpose(matrix), d), shape)
        images = windows.total(self.arrays, [d_patches[:, m, ...] for m in range(self.kernel**2)])
        return units(self.arrays, images), own

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """dW = s X^T, db = sum over rows and positions of s: the nodes are y."""
        if real_on_torch(self.arrays, saved, p["weight"], s):
            return torch_convolution.own_gradient(self, p["weight"], saved, s)
        xp, d = self.arrays.xp, self._by_channel(s)
        weight = xp.matmul(d, xp.matrix_transpose(self._patches(saved)))
        return {"weight": xp.reshape(weight, p["weight"].shape), "bias": xp.sum(d, axis=-1)}

    def _by_channel(self, y: Array) -> Array:
        """y as one line for each channel: (channels_out, positions * rows)."""
        xp = self.arrays.xp
        shape = (self.channels_out, self.windows.positions * y.shape[-2])
        return xp.reshape(xp.matrix_transpose(y), shape)

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = W dX + dW X + db."""
        dy = None if dx is None else self._correlated(dx, p["weight"])
        if dp and "weight" in dp:
            moved = self._correlated(saved, dp["weight"])
            dy = moved if dy is None else dy + moved
        if dp and "bias" in dp:
            bias = self._everywhere(dp["bias"])
            if dy is None:
                return self.arrays.xp.broadcast_to(bias, (bias.shape[0], saved.shape[-2], bias.shape[-1]))
            dy = dy + bias
        return dy

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = (W + dW) dX + dW X + db."""
        return self.pushforward(changed(p, dp), x, dx, dp)

    @property
    def _fan(self) -> int:
        """How many numbers lie under the kernel."""
        return self.channels_in * self.kernel**2

    def _correlated(self, x: Array, weight: Array) -> Array:
        """W X, of which both may carry a leading axis."""
        if real_on_torch(self.arrays, x, weight):
            return torch_convolution.correlated_each(self, x, weight)
        xp = self.arrays.xp
        matrix = xp.reshape(weight, (*weight.shape[:-4], self.channels_out, self._fan))
        y = xp.matmul(matrix, self._patches(x))
        y = xp.reshape(y, (*y.shape[:-2], self.channels_out * self.windows.positions, x.shape[-2]))
        return xp.matrix_transpose(y)

    def _patches(self, x: Array) -> Array:
        """X, of shape (..., channels_in * kernel^2, positions * rows): rows last, so that runs are long."""
        xp, windows = self.arrays.xp, self.windows
        stacked = xp.stack(windows.parts(self.arrays, windows.images(self.arrays, x)), axis=-4)
        return xp.reshape(stacked, (*x.shape[:-2], self._fan, windows.positions * x.shape[-2]))

    def _everywhere(self, bias: Array) -> Array:
        """One number for each channel, at each position: shape (..., 1, channels_out * positions)."""
        xp, positions = self.arrays.xp, self.windows.positions
        spread = xp.broadcast_to(bias[..., None], (*bias.shape, positions))
        return xp.reshape(spread, (*bias.shape[:-1], 1, self.channels_out * positions))
