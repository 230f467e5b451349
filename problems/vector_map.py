"""A map of n inputs to m outputs, of any ratio: where Jacobians by forward and by reverse mode cross."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from gradmark.arguments import check_fits, check_size
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import NamedLayer
from gradmark.parameters import Parameters
from gradmark.problem import Call
from gradmark.random import generator
from problems.assembling import assemble
from problems.layers.activation import Activation
from problems.layers.held import Held
from problems.losses import MeanSquaredError
from problems.network import Network

_STEPS = 64
"""Matrices are of multiples of 1/64 below 2, times a power of two: even bfloat16 holds them exactly."""


def vector_map(
    *,
    inputs: int = 64,
    outputs: int = 64,
    width: int = 64,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """y = V tanh(W x) with constant matrices W (width, inputs) and V (outputs, width); the parameter is x.

    The loss is 1/2 |y - t|^2 for a target t, so that its gradient is W^T (sigma' * V^T (y - t)) with
    sigma' = 1 - tanh^2, and the Jacobian of the outputs V diag(sigma') W. That takes `inputs` tangent passes
    by forward mode, `outputs` pullbacks by reverse mode, of equal size: they cross where both are equal. x is
    one row of opened inputs. Raises `UsageError` for sizes that do not fit.

    >>> problem = vector_map(inputs=3, outputs=5)
    >>> {name: array.shape for name, array in problem.parameters.items()}
    {'inputs': (1, 3)}
    >>> problem.outputs(problem.parameters).shape
    (1, 5)
    """
    arguments = dict(locals())
    for name in ("inputs", "outputs", "width"):
        check_size("vector_map", name, arguments[name])
    check_fits("vector_map", width * (inputs + outputs) + inputs + outputs)
    arrays, random = Arrays(backend, device, dtype), generator(seed, "weights")
    into, out_of = _matrix(random, width, inputs), _matrix(random, outputs, width)
    data = generator(seed, "data")
    network = assemble(
        Call("vector_map", arguments),
        (
            NamedLayer("into", Held(into, arrays)),
            NamedLayer("between", Activation("tanh", arrays)),
            NamedLayer("out_of", Held(out_of, arrays)),
        ),
        MeanSquaredError(arrays),
        {"inputs": data.standard_normal((1, inputs)), "targets": data.standard_normal((1, outputs))},
        arrays,
        batch=1,
        seed=seed,
    )
    return replace(network.opened("inputs"), closed_form=partial(_gradient, into, out_of))


def _matrix(random: np.random.Generator, fan_out: int, fan_in: int) -> Any:
    """Entries of both signs, of mean square about 1 / fan_in."""
    entries = random.integers(1 - 2 * _STEPS, 2 * _STEPS, (fan_out, fan_in)) / _STEPS
    return entries * 2.0 ** -round(math.log2(fan_in) / 2)


def _gradient(into: Any, out_of: Any, parameters: Parameters, draw: Draw) -> dict[str, Array]:
    """W^T ((1 - s^2) * V^T (V s - t)) with s = tanh(W x), by sums over columns."""
    x, target = parameters["inputs"][0, ...], draw.arrays["targets"][0, ...]
    xp: Any = array_namespace(x)
    w, v = (xp.asarray(matrix, dtype=x.dtype, device=device_of(x)) for matrix in (into, out_of))
    s = xp.tanh(xp.sum(w * x, axis=1))
    residual = xp.sum(v * s, axis=1) - target
    slope = (1 - s * s) * xp.sum(v * residual[:, None], axis=0)
    return {"inputs": xp.sum(w * slope[:, None], axis=0)[None, :]}
