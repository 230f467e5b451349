"""Multilayer perceptrons: dense layers of any widths."""

from collections.abc import Sequence
from typing import Any

from gradmark.arrays import Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError, unknown_name
from gradmark.arguments import check_size
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from gradmark.random import generator
from problems import data as datasets
from problems.initialisations import INITIALISATIONS
from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.layers.nonlinearities import NONLINEARITIES
from problems.losses import LOSSES
from problems.network import Network, sample_rows

_SYNTHETIC_ROWS = 1024


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

    `activation` is one of identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, softplus; `loss` mse or
    cross_entropy (see `problems.losses`); `initialisation` xavier, he, lecun, orthogonal or normal, times
    `gain`; biases start at zero. `data` is digits (64 inputs, 10 outputs) or synthetic (any widths). A draw is
    `batch` rows. Raises `UsageError` for a name or size that does not fit.

    >>> problem = mlp(widths=(64, 16, 10))
    >>> {name: array.shape for name, array in problem.parameters.items()}
    {'layers.0.weight': (16, 64), 'layers.0.bias': (16,), 'layers.2.weight': (10, 16), 'layers.2.bias': (10,)}
    """
    arguments = {key: value for key, value in locals().items()}
    widths = arguments["widths"] = check_widths(widths, data)
    for kind, name, table in (
        ("activation", activation, NONLINEARITIES),
        ("loss", loss, LOSSES),
        ("initialisation", initialisation, INITIALISATIONS),
    ):
        if name not in table:
            raise unknown_name(kind, name, table)
    arrays = Arrays(backend, device, dtype)
    rows = _rows(data, widths, loss, check_size("mlp", "batch", batch), seed)
    everything = Draw({name: arrays.array(numbers) for name, numbers in rows.items()})
    if batch > everything.count:
        raise UsageError(f"mlp: `batch={batch}` is more than the {everything.count} rows of `{data}`.")
    layers = _layers(widths, activation, arrays)
    return Network(
        layers=layers,
        criterion=LOSSES[loss](arrays),
        arrays=arrays,
        parameters=_parameters(layers, initialisation, gain, arrays, seed),
        data=everything,
        batch=batch,
        default_draw=sample_rows(everything, batch, seed, arrays),
        call=Call("mlp", arguments),
        smoothness=NONLINEARITIES[activation].smoothness,
    )


def widths_for(
    parameters: int, *, inputs: int = 64, outputs: int = 10, hidden_layers: int = 2
) -> tuple[int, ...]:
    """Widths with equal hidden layers whose parameters number as near to `parameters` as integers allow.

    >>> widths_for(10_000)
    (64, 68, 68, 10)
    """

    def count(width: int) -> int:
        return (inputs + 1 + outputs) * width + outputs + (hidden_layers - 1) * width * (width + 1)

    width = 1
    while count(2 * width) <= parameters:
        width *= 2
    while count(width + 1) <= parameters:
        width += 1
    nearest = min((width, width + 1), key=lambda candidate: abs(count(candidate) - parameters))
    return (inputs, *[nearest] * hidden_layers, outputs)


def check_widths(widths: Sequence[int], data: str) -> tuple[int, ...]:
    """The widths as a tuple of positive integers that fit the data."""
    if isinstance(widths, int | str) or len(widths) < 2:
        raise UsageError(f"mlp: `widths={widths!r}` must list at least inputs and outputs, such as 64,32,10.")
    checked = tuple(check_size("mlp", "widths", width) for width in widths)
    if data not in ("digits", "synthetic"):
        raise unknown_name("data set", data, ("digits", "synthetic"))
    if data == "digits" and (checked[0], checked[-1]) != (64, 10):
        raise UsageError(
            f"mlp: `widths={checked}` do not fit the digits, which have 64 inputs and 10 outputs: start with 64 "
            "and end with 10, or use data=synthetic."
        )
    return checked


def _rows(data: str, widths: Sequence[int], loss: str, batch: int, seed: int) -> dict[str, Any]:
    if data == "digits":
        inputs, targets = datasets.digits()
    else:
        inputs, targets = datasets.synthetic(max(batch, _SYNTHETIC_ROWS), widths[0], widths[-1], seed)
        if loss == "cross_entropy":
            targets = datasets.one_hot_of_largest(targets)
    return {"inputs": inputs, "targets": targets}


def _layers(widths: Sequence[int], activation: str, arrays: Arrays) -> tuple[NamedLayer, ...]:
    """Numbered as in a torch Sequential: dense layers are 0, 2, 4, and activations stand between them."""
    layers: list[NamedLayer] = []
    for fan_in, fan_out in zip(widths[:-1], widths[1:], strict=True):
        if layers:
            layers.append(NamedLayer(f"layers.{len(layers)}", Activation(activation, arrays)))
        layers.append(NamedLayer(f"layers.{len(layers)}", Dense(fan_in, fan_out, arrays)))
    return tuple(layers)


def _parameters(
    layers: tuple[NamedLayer, ...], initialisation: str, gain: float, arrays: Arrays, seed: int
) -> dict[str, Any]:
    random, parameters = generator(seed, "weights"), {}
    for named in layers:
        if isinstance(named.layer, Dense):
            weight = INITIALISATIONS[initialisation](random, named.layer.fan_in, named.layer.fan_out)
            parameters[named.names["weight"]] = arrays.array(gain * weight)
            parameters[named.names["bias"]] = arrays.zeros((named.layer.fan_out,))
    return parameters
