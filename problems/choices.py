"""What the factories of dense networks let a person choose, checked; and the network that comes of it."""

from collections.abc import Callable, Mapping
from typing import Any

from gradmark.arguments import check_name, check_number, check_size, check_switch
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call, Smoothness
from problems import data as datasets
from problems.assembling import assemble
from problems.freezing import frozen
from problems.initialisations import INITIALISATIONS
from problems.layers.batch_norm import check_rows
from problems.layers.jumping import ACTIVATIONS
from problems.losses import LOSSES
from problems.network import Network
from problems.zero_one import ZeroOne

LARGEST_GAIN = 1e4
"""Weights of standard deviation 1e4 are finite in every dtype, float16 (to 65504) among them."""
LARGEST_RATE = 0.99
"""Of dropout: beyond, hardly a unit is left."""
NORMALISATIONS = ("none", "batch", "layer")
_CRITERIA = {**LOSSES, "zero_one": ZeroOne}


def check_choices(problem: str, chosen: Mapping[str, Any]) -> int:
    """Check `activation`, `loss`, `initialisation`, `gain`, `data`, `batch`; how many rows there are."""
    check_name("activation", chosen["activation"], ACTIVATIONS)
    check_name("loss", chosen["loss"], _CRITERIA)
    check_name("initialisation", chosen["initialisation"], INITIALISATIONS)
    check_name("data set", chosen["data"], ("digits", "synthetic"))
    check_number(problem, "gain", chosen["gain"], 0, LARGEST_GAIN)
    batch = check_size(problem, "batch", chosen["batch"])
    count = datasets.rows_there(chosen["data"], batch)
    if batch > count:
        raise UsageError(
            f"{problem}: `batch={shown(batch)}` is more than the {count} rows of `{chosen['data']}`."
        )
    return count


def check_hidden(problem: str, chosen: Mapping[str, Any]) -> None:
    """Check `normalisation`, `frozen` and `dropout`, after `batch`."""
    check_name("normalisation", chosen["normalisation"], NORMALISATIONS)
    check_number(problem, "dropout", chosen["dropout"], 0, LARGEST_RATE)
    check_switch(problem, "frozen", chosen["frozen"])
    if chosen["frozen"] and chosen["normalisation"] == "none":
        raise UsageError(
            f"{problem}: `frozen=True` keeps the statistics of a normalisation, and there is none: choose "
            "normalisation=batch or layer."
        )
    if chosen["normalisation"] == "batch":
        check_rows(chosen["batch"], f"{problem}: ")


def check_ends(problem: str, chosen: Mapping[str, Any]) -> tuple[int, int]:
    """`inputs` and `outputs`, which must fit `data`."""
    inputs, outputs = (check_size(problem, name, chosen[name]) for name in ("inputs", "outputs"))
    if chosen["data"] == "digits" and (inputs, outputs) != (64, 10):
        raise UsageError(
            f"{problem}: `inputs={shown(inputs)}` and `outputs={shown(outputs)}` do not fit the digits, "
            "which have 64 inputs and 10 outputs: leave them out, or use data=synthetic."
        )
    return inputs, outputs


def chosen_network(
    call: Call,
    layers: Callable[[Arrays], tuple[NamedLayer, ...]],
    ends: tuple[int, int],
    rows: int,
    smoothness: Smoothness | None = None,
) -> Network:
    """`layers` on the data set that the arguments of `call` name, which has `rows` rows and `ends` units.

    `smoothness` is that of the layers: of the activation where it is not said. Statistics to be frozen are
    measured in float64 on NumPy, wherever the network lives: so it has the same ones everywhere.
    """
    chosen = call.arguments
    place = {name: chosen[name] for name in ("backend", "device", "dtype")}
    there = Arrays(**place)
    arrays = Arrays() if chosen.get("frozen") else there
    of_layers = smoothness or ACTIVATIONS[chosen["activation"]].smoothness
    network = assemble(
        call,
        layers(arrays),
        _CRITERIA[chosen["loss"]](arrays),
        datasets.rows_of(chosen["data"], *ends, chosen["loss"], rows, chosen["seed"]),
        arrays,
        batch=chosen["batch"],
        seed=chosen["seed"],
        initialisation=chosen["initialisation"],
        gain=chosen["gain"],
        smoothness="discontinuous" if chosen["loss"] == "zero_one" else of_layers,
    )
    return frozen(network).to(**place) if chosen.get("frozen") else network
