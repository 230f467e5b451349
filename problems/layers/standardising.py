"""Numbers brought to mean 0 and variance 1 along an axis, with the derivative: what normalisations share.

With n numbers x along the axis, mean m and biased variance v (both differentiated through),

    y = (x - m) s,   s = 1 / sqrt(v + epsilon),
    J = s (I - 1 1^T / n - y y^T / n),

which is symmetric: pullback and pushforward are the same map (Ioffe and Szegedy 2015; Ba, Kiros and Hinton
2016). Where mean and variance are constants, J = s I.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.dtypes import dtype_name, itemsize
from problems.layers.changed import changed

EPSILON = 1e-5
"""Added to the variance; torch's default."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and variance as constants: float64 NumPy arrays, of one number or of one for each unit."""

    mean: Any
    variance: Any

    def constants(self, arrays: Arrays, epsilon: float) -> tuple[Array, Array]:
        """m and s in `arrays`; s is computed in float64 and rounded once."""
        return arrays.array(self.mean), arrays.array((self.variance + epsilon) ** -0.5)


def centred(xp: Any, x: Array, axis: int) -> tuple[Array, Array, Array]:
    """m, x - m and v, the axis kept. No absolute value is taken, so that complex steps pass."""
    mean = xp.sum(x, axis=axis, keepdims=True) / x.shape[axis]
    d = x - mean
    return mean, d, xp.sum(d * d, axis=axis, keepdims=True) / x.shape[axis]


def standardised(arrays: Arrays, x: Array, axis: int, epsilon: float) -> tuple[Array, Array]:
    """y and s, in the dtype of `x`. Numbers of 16 bits are handled in float32, as torch's own layers do.

    x has other ones than `arrays` under ``torch.autocast``.
    """
    xp = arrays.xp
    wide = xp.astype(x, xp.float32) if itemsize(dtype_name(x)) < 4 else x
    _, d, variance = centred(xp, wide, axis)
    s = 1 / xp.sqrt(variance + epsilon)
    return (d * s, s) if wide is x else (xp.astype(d * s, x.dtype), xp.astype(s, x.dtype))


def derivative_along(xp: Any, y: Array, s: Array, d: Array, axis: int) -> Array:
    """J d; `d` may carry a leading axis."""
    mean = xp.sum(d, axis=axis, keepdims=True) / y.shape[axis]
    along = xp.sum(y * d, axis=axis, keepdims=True) / y.shape[axis]
    return s * (d - mean - y * along)


def scaled_and_shifted(p: Any, y: Array) -> Array:
    """weight * y + bias, unit by unit; either may carry a leading axis of members."""
    return p["weight"][..., None, :] * y + p["bias"][..., None, :]


def moved_by_parameters(xp: Any, y: Array, dp: Any) -> Array | None:
    """d weight * y + d bias; None where neither moves."""
    moved = dp["weight"][..., None, :] * y if dp and "weight" in dp else None
    if not dp or "bias" not in dp:
        return moved
    bias = dp["bias"][..., None, :]
    return xp.broadcast_to(bias, (*bias.shape[:-2], *y.shape[-2:])) if moved is None else moved + bias


def standardised_difference(
    arrays: Arrays, x: Array, dx: Array | None, axis: int, epsilon: float
) -> tuple[Array, Array | None]:
    """y, and by how much it changes by `dx`, which may carry a leading axis; None does not change.

    With c = x - m, V = v + epsilon and V' = V + dv: dc = dx - mean dx, dv = mean of dc (2 c + dc), and
    dy = dc / sqrt V' - y dv / (sqrt V' (sqrt V + sqrt V')), where V' is taken of c + dc.
    """
    xp = arrays.xp
    y, _ = standardised(arrays, x, axis, epsilon)
    if dx is None:
        return y, None
    if itemsize(dtype_name(x)) < 4:
        x, dx = xp.astype(x, xp.float32), xp.astype(dx, xp.float32)
    _, c, v = centred(xp, x, axis)
    _, dc, _ = centred(xp, dx, axis)
    dv = xp.sum(dc * (2 * c + dc), axis=axis, keepdims=True) / x.shape[axis]
    v_moved = xp.sum((c + dc) * (c + dc), axis=axis, keepdims=True) / x.shape[axis]
    root, moved = xp.sqrt(v + epsilon), xp.sqrt(v_moved + epsilon)
    dy = (dc - c / root * (dv / (root + moved))) / moved
    return y, xp.astype(dy, y.dtype)


def scaled_difference(xp: Any, p: Any, y: Array, dy: Array | None, dp: Any) -> Array | None:
    """(weight + d weight) dy + d weight y + d bias; None where nothing moves."""
    moved = moved_by_parameters(xp, y, dp)
    if dy is None:
        return moved
    scaled = changed(p, dp)["weight"][..., None, :] * dy
    return scaled if moved is None else scaled + moved
