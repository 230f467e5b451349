"""The fastest plain forward pass of each backend: the unit in which the cost of a gradient is counted.

A slow forward pass would make every method look good, so the denominator is no worse than a careful user's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.structure import all_in_place, state_shapes
from gradmark.work import count, uncounted

Forward = Callable[[Parameters, Draw], Any]


def plain_forward(network: Any) -> Forward:
    """The fastest way to compute `network`'s loss alone, on its backend."""
    if network.arrays.backend == "torch":
        return _torch(network)
    if network.arrays.backend == "jax":
        return _jax(network)
    if network.arrays.backend == "numpy" and all_in_place(network.layers, network.criterion):
        return _numpy(network)
    return lambda parameters, draw: network.loss(parameters, draw)


def _numpy(network: Any) -> Forward:
    """Every layer writes into a buffer allocated once; activations overwrite their input."""
    dtype = network.arrays.dtype_object
    shapes = state_shapes(network.layers, network.default_draw.arrays["inputs"].shape)
    steps = [
        (named, None if named.layer.overwrites_input else np.empty(shape, dtype))
        for named, shape in zip(network.layers, shapes[1:], strict=True)
    ]
    scratch = np.empty(shapes[-1], dtype)

    def forward(parameters: Parameters, draw: Draw) -> Any:
        if draw.count != network.default_draw.count:
            return network.loss(parameters, draw)
        count(forward=1)
        h = draw.arrays["inputs"]
        for named, buffer in steps:
            y = h if buffer is None else buffer
            named.layer.forward_into(named.own(parameters), h, y)
            h = y
        return network.criterion.value_and_pullback_into(h, draw, scratch)

    return forward


def _torch(network: Any) -> Forward:
    """The same operations with no graph recorded."""
    torch = network.arrays.xp

    def forward(parameters: Parameters, draw: Draw) -> Any:
        with torch.no_grad():
            return network.loss(parameters, draw)

    return forward


def _jax(network: Any) -> Forward:
    """Compiled once; parameters and data are arguments, so that nothing is folded away."""
    import jax

    compiled = jax.jit(lambda parameters, arrays: network.loss(parameters, Draw(arrays)))

    def forward(parameters: Parameters, draw: Draw) -> Any:
        count(forward=draw.count / network.default_draw.count)
        with uncounted():
            return compiled(dict(parameters), dict(draw.arrays)).block_until_ready()

    return forward
