"""The activation functions sigma and their derivatives, as formulas.

Each takes the arrays' namespace, z, and (for the derivative) h = sigma(z). None overflows, and NaN stays NaN.
Functions of several branches choose by the real part of z, which continues each branch analytically: so a
complex step sees the derivative of the branch. At a kink the derivative is that of the left branch:
relu'(0) = 0. elu (alpha = 1) has no kink, but its second derivative jumps at 0, from 1 to 0. `gelu` is the
exact form with erf, `silu` is z times its sigmoid. tanh' is 1 - h^2, which is exact to the resolution of 1,
not of tanh' itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.dtypes import DTYPES
from gradmark.problem import Smoothness
from problems.layers.branches import minus_abs, negative_part, of_numpy, of_torch, positive, real_part
from problems.layers.log1p import log1p
from problems.layers.normal_cdf import ERFC_DTYPES, normal_cdf

LEAKY_SLOPE = 0.01
_DENSITY = (2 * np.pi) ** -0.5
"""Of a normal number at zero."""


@dataclass(frozen=True)
class Nonlinearity:
    """sigma(z) and sigma'(z).

    `derivative(arrays, z, h)` is given h alone where `from_value` says that this is enough, else z alone.
    `dtypes` are those of each backend that have the functions it is made of.
    """

    value: Callable[[Arrays, Array], Array]
    derivative: Callable[[Arrays, Array, Array], Array]
    smoothness: Smoothness = "smooth"
    from_value: bool = False
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: DTYPES)


def _identity(arrays: Arrays, z: Array) -> Array:
    return z


def _identity_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return arrays.xp.ones_like(h)


def _tanh(arrays: Arrays, z: Array) -> Array:
    return arrays.xp.tanh(z)


def _tanh_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return 1 - h * h


def _sigmoid(arrays: Arrays, z: Array) -> Array:
    xp = arrays.xp
    if of_numpy(z):
        return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    if of_torch(arrays, z):
        return xp.sigmoid(z)
    e = xp.exp(minus_abs(xp, z))
    return xp.where(positive(xp, z), 1 / (1 + e), e / (1 + e))


def _sigmoid_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    # h (1 - h) loses the digits of 1 - h where h is near 1; e / (1 + e)^2 with e = exp(-|z|) does not.
    xp = arrays.xp
    if of_torch(arrays, z):
        e = z.abs().neg_().exp_()
        return e / (1 + e).square_()
    e = xp.exp(minus_abs(xp, z))
    return e / ((1 + e) * (1 + e))


def relu(arrays: Arrays, z: Array) -> Array:
    """max(z, 0); NaN stays NaN. Where z is real, a choice by a mask would take several times as long."""
    xp = arrays.xp
    if of_torch(arrays, z):
        return xp.relu(z)
    if of_numpy(z):
        return np.maximum(z, 0)
    return xp.where(real_part(xp, z) <= 0, xp.zeros_like(z), z)


def _relu_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return arrays.xp.astype(positive(arrays.xp, h), h.dtype)


def _leaky_relu(arrays: Arrays, z: Array) -> Array:
    if of_torch(arrays, z):
        return arrays.xp.nn.functional.leaky_relu(z, LEAKY_SLOPE)
    if of_numpy(z):
        return np.maximum(z, LEAKY_SLOPE * z)
    return arrays.xp.where(positive(arrays.xp, z), z, LEAKY_SLOPE * z)


def _leaky_relu_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    xp = arrays.xp
    return xp.where(positive(xp, h), xp.ones_like(h), LEAKY_SLOPE * xp.ones_like(h))


def _elu(arrays: Arrays, z: Array) -> Array:
    xp = arrays.xp
    if of_torch(arrays, z):
        return xp.nn.functional.elu(z)
    if of_numpy(z):
        return np.maximum(z, 0) + np.expm1(np.minimum(z, 0))
    return xp.where(positive(xp, z), z, xp.expm1(negative_part(arrays, z)))


def _elu_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return arrays.xp.exp(negative_part(arrays, z))


def _gelu(arrays: Arrays, z: Array) -> Array:
    return z * normal_cdf(arrays, z)


def _gelu_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    if arrays.backend == "torch":
        e = (z * z).mul_(-0.5).exp_()
        return arrays.xp.addcmul(normal_cdf(arrays, z), z, e, value=_DENSITY)
    return normal_cdf(arrays, z) + z * (arrays.xp.exp(-0.5 * z * z) * _DENSITY)


def _silu(arrays: Arrays, z: Array) -> Array:
    if of_torch(arrays, z):
        return arrays.xp.nn.functional.silu(z)
    return z * _sigmoid(arrays, z)


def _silu_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    s = _sigmoid(arrays, z)
    return s + z * _sigmoid_derivative(arrays, z, s)


def _softplus(arrays: Arrays, z: Array) -> Array:
    xp = arrays.xp
    return relu(arrays, z) + log1p(arrays, xp.exp(minus_abs(xp, z)))


def _softplus_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return _sigmoid(arrays, z)


NONLINEARITIES = {
    "identity": Nonlinearity(_identity, _identity_derivative, from_value=True),
    "sigmoid": Nonlinearity(_sigmoid, _sigmoid_derivative),
    "tanh": Nonlinearity(_tanh, _tanh_derivative, from_value=True),
    "relu": Nonlinearity(relu, _relu_derivative, "kinked", True),
    "leaky_relu": Nonlinearity(_leaky_relu, _leaky_relu_derivative, "kinked", True),
    "elu": Nonlinearity(_elu, _elu_derivative),
    "gelu": Nonlinearity(_gelu, _gelu_derivative, dtypes=ERFC_DTYPES),
    "silu": Nonlinearity(_silu, _silu_derivative),
    "softplus": Nonlinearity(_softplus, _softplus_derivative),
}
