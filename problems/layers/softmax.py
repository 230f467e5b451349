"""The softmax of each row's units."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.layers.branches import of_torch, real_part


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
        y = softmax(self.arrays, x)
        return y, y

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = J dy."""
        return (through_softmax(self.arrays, saved, dy) if input_gradient else None), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = J dx."""
        return None if dx is None else through_softmax(self.arrays, saved, dx)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy."""
        return None if dx is None else softmax_difference(self.arrays, x, dx)


def softmax(arrays: Arrays, x: Array) -> Array:
    """exp(x) / sum of exp(x) over the last axis; no row may be all minus infinity.

    On JAX, x should not be what a product alone makes: XLA rounds c z and the difference to its maximum at
    once, the largest exponent is no zero then, and where it is large its exponential infinite (XLA's own; as
    in jax.nn.softmax).
    """
    xp = arrays.xp
    if of_torch(arrays, x):
        return xp.softmax(x, -1)
    e = xp.exp(x - xp.max(real_part(xp, x), axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def through_softmax(arrays: Arrays, y: Array, d: Array) -> Array:
    """y * (d - <y, d>); `d` may carry a leading axis.

    Numbers of 16 bits are handled in float32: nothing would be left of the difference where y is saturated.
    """
    xp = arrays.xp
    if arrays.itemsize >= 4:
        return y * (d - xp.sum(y * d, axis=-1, keepdims=True))
    wide, along = xp.astype(y, xp.float32), xp.astype(d, xp.float32)
    return xp.astype(wide * (along - xp.sum(wide * along, axis=-1, keepdims=True)), y.dtype)


def softmax_difference(arrays: Arrays, x: Array, d: Array) -> Array:
    """softmax(x + d) - softmax(x), for real x that may be minus infinity; `d` may carry a leading axis.

    With S = sum of y expm1(d) it is y (expm1(d) - S) / (1 + S). Rows that hold a |d| above 1 are subtracted:
    nothing much cancels there, and y may be zero where y(x + d) is not. Numbers of 16 bits as above.
    """
    xp = arrays.xp
    if arrays.itemsize < 4:
        x, d = xp.astype(x, xp.float32), xp.astype(d, xp.float32)
    y, near = softmax(arrays, x), xp.max(xp.abs(d), axis=-1, keepdims=True) <= 1
    e = xp.expm1(xp.where(near, d, 0 * d))
    total = xp.sum(y * e, axis=-1, keepdims=True)
    found = xp.where(near, y * (e - total) / (1 + total), softmax(arrays, x + d) - y)
    return xp.astype(found, arrays.dtype_object)
