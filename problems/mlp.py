"""Multilayer perceptrons: dense layers of any widths."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from gradmark.arguments import check_fits, check_size
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.choices import check_choices, chosen_network
from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.network import Network


def mlp(
    *,
    widths: Sequence[int] = (64, 32, 10),
    activation: str = "tanh",
    loss: str = "cross_entropy",
    initialisation: str = "xavier",
    gain: float = 1.0,
    data: str = "digits",
    batch: int = 32,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """Dense layers of the given `widths` (inputs first, outputs last), `activation` between them.

    `activation` is one of identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus and sign;
    `loss` mse or cross_entropy (see `problems.losses`), or zero_one, the share of rows classified wrongly
    (see `problems.zero_one`); with sign or zero_one the loss jumps, and its gradient, but for the last layer
    behind signs, is zero. `initialisation` is xavier, he, lecun, orthogonal or normal, times `gain` (from 0
    to 1e4); biases start at zero. `data` is digits (64 inputs, 10 outputs) or synthetic (any widths). A draw
    is `batch` rows. Raises `UsageError` for a name or size that does not fit, or that would not fit into
    memory.

    >>> problem = mlp(widths=(64, 16, 10))
    >>> {name: array.shape for name, array in problem.parameters.items()}
    {'layers.0.weight': (16, 64), 'layers.0.bias': (16,), 'layers.2.weight': (10, 16), 'layers.2.bias': (10,)}
    """
    arguments = dict(locals())
    rows = check_choices("mlp", arguments)
    widths = arguments["widths"] = check_widths(widths, data)
    check_fits("mlp", _numbers(widths, rows))
    return chosen_network(
        Call("mlp", arguments),
        partial(_layers, widths, activation),
        (widths[0], widths[-1]),
        rows,
        smoothness=None if len(widths) > 2 else "smooth",
    )


def widths_for(
    parameters: int, *, inputs: int = 64, outputs: int = 10, hidden_layers: int = 2
) -> tuple[int, ...]:
    """Widths with equal hidden layers whose parameters number as near to `parameters` as integers allow.

    >>> widths_for(10_000)
    (64, 69, 69, 10)
    """

    check_fits("widths_for", check_size("widths_for", "parameters", parameters))
    hidden_layers = check_size("widths_for", "hidden_layers", hidden_layers)
    inputs, outputs = check_size("widths_for", "inputs", inputs), check_size("widths_for", "outputs", outputs)

    def count(width: int) -> int:
        return (inputs + 1 + outputs) * width + outputs + (hidden_layers - 1) * width * (width + 1)

    # The first width with more; count(width) > width, so it is no larger than `parameters`.
    above = max(2, bisect_right(range(parameters + 1), parameters, key=count))
    width = min((above - 1, above), key=lambda candidate: abs(count(candidate) - parameters))
    return (inputs, *[width] * hidden_layers, outputs)


def check_widths(widths: Sequence[int], data: str) -> tuple[int, ...]:
    """The widths as a tuple of positive integers that fit the data."""
    widths = widths.tolist() if isinstance(widths, np.ndarray) else widths
    if not isinstance(widths, list | tuple) or len(widths) < 2:
        raise UsageError(
            f"mlp: `widths={shown(widths)}` must list at least inputs and outputs, such as 64,32,10."
        )
    checked = tuple(check_size("mlp", "widths", width) for width in widths)
    if data == "digits" and (checked[0], checked[-1]) != (64, 10):
        raise UsageError(
            f"mlp: `widths={shown(checked)}` do not fit the digits, which have 64 inputs and 10 outputs: "
            "start with 64 and end with 10, or use data=synthetic."
        )
    return checked


def _numbers(widths: Sequence[int], rows: int) -> int:
    """How many numbers weights, biases and data are."""
    weights = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
    return weights + rows * (widths[0] + widths[-1])


def _layers(widths: Sequence[int], activation: str, arrays: Arrays) -> tuple[NamedLayer, ...]:
    """Numbered as in a torch Sequential: dense layers are 0, 2, 4, and activations stand between them."""
    layers: list[NamedLayer] = []
    for fan_in, fan_out in pairwise(widths):
        if layers:
            layers.append(NamedLayer(f"layers.{len(layers)}", Activation(activation, arrays)))
        layers.append(NamedLayer(f"layers.{len(layers)}", Dense(fan_in, fan_out, arrays)))
    return tuple(layers)
