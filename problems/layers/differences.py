"""sigma(z + d) - sigma(z) without cancellation: a formula for each activation function.

None subtracts numbers that are nearly equal, so that a change d far below the spacing of numbers at z passes
with all its digits, and a change of order one comes out as the subtraction of the two values would (Kahan and
Fateman 1985; Reps and Rall 2003). `z` is real and broadcasts against `d`, which has leading axes of changes.
Nothing overflows: exponentials are taken of numbers that are not positive.

At a kink it is the sides of z and z + d that count, so a change to the left sees the left branch.
"""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array, Arrays
from problems.layers.nonlinearities import LEAKY_SLOPE, NONLINEARITIES
from problems.layers.normal_cdf import normal_cdf

Difference = Callable[[Arrays, Array, Array], Array]

_NODES = (0.0, 0.538469310105683091, 0.906179845938663993)
_WEIGHTS = (0.284444444444444444, 0.239314335249683234, 0.118463442528094544)
"""Of Gauss and Legendre with five nodes: those on both sides of the middle share a weight."""
_NEAR = 0.25
"""Up to which |d| the normal cdf's change is had by quadrature. Its error there is below
(5!)^4 d^10 max|phi^(10)| / (11 (10!)^3) = 1.4e-16, relative to d; the subtraction above loses two bits."""
_DENSITY = 0.398942280401432678


def relu_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """d where z and z + d are positive, z + d or -z where one is, else 0."""
    xp, moved = arrays.xp, z + d
    ahead = xp.where(z > 0, d, moved)
    return xp.where(moved > 0, ahead, xp.where(z > 0, -z, 0 * d))


def exponential_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """e^(z + d) - e^z as e^max(z, z + d) times -expm1(-|d|), with the sign of d."""
    return arrays.xp.exp(z + positive_part(arrays, d)) * falling(arrays, d)


def sigmoid_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """s(z + d) - s(z) = 2 sinh(d / 2) / (4 cosh(z / 2) cosh((z + d) / 2)).

    With A = e^-|z| and B = e^-|z + d| that is -expm1(-|d|) M / ((1 + A)(1 + B)) with the sign of d, M being
    1 where z and z + d have two signs and else the larger of A and B. It has all digits where s is near 1,
    which s (1 - s) has not.
    """
    xp, moved = arrays.xp, z + d
    a, b = xp.exp(-xp.abs(z)), xp.exp(-xp.abs(moved))
    larger = xp.where(a > b, a, b)
    factor = xp.where((z > 0) == (moved > 0), larger, xp.ones_like(larger))
    return falling(arrays, d) * (factor / ((1 + a) * (1 + b)))


def tanh_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """tanh(z + d) - tanh(z), which is twice that of the sigmoid at 2 z by 2 d."""
    return 2 * sigmoid_difference(arrays, 2 * z, 2 * d)


def falling(arrays: Arrays, d: Array) -> Array:
    """-expm1(-|d|) with the sign of d: what an exponential falls by from the larger to the smaller end."""
    xp = arrays.xp
    e = xp.expm1(-xp.abs(d))
    return xp.where(d > 0, -e, e)


def positive_part(arrays: Arrays, d: Array) -> Array:
    """max(d, 0)."""
    return arrays.xp.where(d > 0, d, 0 * d)


def _identity_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    return d + 0 * z


def _leaky_relu_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """relu's change, and LEAKY_SLOPE times what it leaves of d."""
    ahead = relu_difference(arrays, z, d)
    return ahead + LEAKY_SLOPE * (d - ahead)


def _elu_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """The positive part's change, and the exponential's between the negative parts."""
    xp, ahead = arrays.xp, relu_difference(arrays, z, d)
    return ahead + exponential_difference(arrays, xp.where(z > 0, 0 * z, z), d - ahead)


def _softplus_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """log1p(s(z) expm1(d)) for |d| < 1, from the smaller end; else relu's change and that of the rest."""
    xp, moved = arrays.xp, z + d
    size = xp.abs(d)
    near = size < 1
    smaller = xp.where(d > 0, z + 0 * d, moved)
    s = NONLINEARITIES["sigmoid"].value(arrays, smaller)
    small = xp.log1p(s * xp.expm1(xp.where(near, size, 0 * d)))
    rest = xp.log1p(xp.exp(-xp.abs(moved))) - xp.log1p(xp.exp(-xp.abs(z)))
    large = relu_difference(arrays, z, d) + rest
    return xp.where(near, xp.where(d > 0, small, -small), large)


def _silu_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """d s(z) + (z + d) ds; subtracted where |d| is above 1 and the two terms may cancel."""
    s = NONLINEARITIES["sigmoid"].value(arrays, z)
    near = d * s + (z + d) * sigmoid_difference(arrays, z, d)
    return _near_or_subtracted(arrays, "silu", z, d, near)


def _gelu_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """d Phi(z) + (z + d) dPhi; subtracted where |d| is above 1."""
    near = d * normal_cdf(arrays, z) + (z + d) * normal_cdf_difference(arrays, z, d)
    return _near_or_subtracted(arrays, "gelu", z, d, near)


def _near_or_subtracted(arrays: Arrays, name: str, z: Array, d: Array, near: Array) -> Array:
    value = NONLINEARITIES[name].value
    return arrays.xp.where(arrays.xp.abs(d) <= 1, near, value(arrays, z + d) - value(arrays, z))


def normal_cdf_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """Phi(z + d) - Phi(z): the integral of the density by five nodes where |d| is small, else subtracted."""
    xp: Any = arrays.xp
    middle, half = z + d / 2, d / 2
    total = _WEIGHTS[0] * xp.exp(-0.5 * middle * middle)
    for node, weight in zip(_NODES[1:], _WEIGHTS[1:], strict=True):
        left, right = middle - node * half, middle + node * half
        total = total + weight * (xp.exp(-0.5 * left * left) + xp.exp(-0.5 * right * right))
    subtracted = normal_cdf(arrays, z + d) - normal_cdf(arrays, z)
    return xp.where(xp.abs(d) <= _NEAR, _DENSITY * d * total, subtracted)


DIFFERENCES: dict[str, Difference] = {
    "identity": _identity_difference,
    "sigmoid": sigmoid_difference,
    "tanh": tanh_difference,
    "relu": relu_difference,
    "leaky_relu": _leaky_relu_difference,
    "elu": _elu_difference,
    "gelu": _gelu_difference,
    "silu": _silu_difference,
    "softplus": _softplus_difference,
}
"""By the names of `problems.layers.nonlinearities`."""


def _tanh_difference_into(xp: Any, h: Any, slope: Any, d: Any, room: Any) -> None:
    """t (1 - h^2) / (1 + h t) with t = tanh d; for |d| <= 1 the divisor is at least 0.2."""
    xp.tanh(d, out=d)
    _over_one_plus(xp, h, slope, d, room)


def _sigmoid_difference_into(xp: Any, h: Any, slope: Any, d: Any, room: Any) -> None:
    """e h (1 - h) / (1 + h e) with e = expm1 d; for |d| <= 1 the divisor is at least 0.3."""
    xp.expm1(d, out=d)
    _over_one_plus(xp, h, slope, d, room)


def _over_one_plus(xp: Any, h: Any, slope: Any, d: Any, room: Any) -> None:
    xp.multiply(h, d, out=room)
    room += 1
    d *= slope
    d /= room


DIFFERENCES_INTO: dict[str, Callable[[Any, Any, Any, Any, Any], None]] = {
    "tanh": _tanh_difference_into,
    "sigmoid": _sigmoid_difference_into,
}
"""``into(xp, h, h', d, room)`` in NumPy or torch, over `d`: where the formula is short."""
