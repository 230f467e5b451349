"""Activation functions in NumPy or torch buffers that are allocated once: where sigma' can be had from sigma.

A form for each function that has a short one, with the library itself as first argument and the buffer that
it writes as last. `nonlinearities` has the functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class InBuffers:
    """`value(xp, z, out)` may be given the same buffer twice, `derivative(xp, h, out)` may not.

    `pullback(xp, h, dh, dz)` writes dz = dh * sigma'(z), from h = sigma(z) as `derivative` does.
    """

    value: Callable[[Any, Any, Any], Any]
    derivative: Callable[[Any, Any, Any], Any]
    pullback: Callable[[Any, Any, Any, Any], Any]


def _tanh(xp: Any, z: Any, out: Any) -> None:
    xp.tanh(z, out=out)


def _tanh_derivative(xp: Any, h: Any, out: Any) -> None:
    if xp is not np:
        # A number that is no tensor costs torch as much as a whole operation: 1 - h * h has one.
        xp.addcmul(out.fill_(1), h, h, value=-1, out=out)
        return
    np.multiply(h, h, out)
    np.subtract(1, out, out)


def _tanh_pullback(xp: Any, h: Any, dh: Any, dz: Any) -> None:
    if xp is not np:
        xp.ops.aten.tanh_backward.grad_input(dh, h, grad_input=dz)
        return
    _tanh_derivative(np, h, dz)
    np.multiply(dz, dh, dz)


def _relu(xp: Any, z: Any, out: Any) -> None:
    if xp is not np:
        xp.clamp(z, min=0, out=out)
        return
    np.maximum(z, 0, out=out)


def _relu_derivative(xp: Any, h: Any, out: Any) -> None:
    out[...] = h > 0


def _relu_pullback(xp: Any, h: Any, dh: Any, dz: Any) -> None:
    if xp is not np:
        xp.ops.aten.threshold_backward.grad_input(dh, h, 0, grad_input=dz)
        return
    np.multiply(dh, h > 0, dz)


IN_BUFFERS = {
    "tanh": InBuffers(_tanh, _tanh_derivative, _tanh_pullback),
    "relu": InBuffers(_relu, _relu_derivative, _relu_pullback),
}
"""By the names of `problems.layers.nonlinearities`."""
