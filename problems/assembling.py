"""From layers and rows of data to a network: what the factories of all networks share."""

from collections.abc import Mapping
from typing import Any

from gradmark.arrays import Arrays
from gradmark.draw import Draw
from gradmark.layer import Criterion, NamedLayer
from gradmark.problem import Call, Smoothness
from gradmark.random import generator
from problems.initialisations import scaled
from problems.layers.chain import initial
from problems.network import Network, drawn


def assemble(
    call: Call,
    layers: tuple[NamedLayer, ...],
    criterion: Criterion,
    rows: Mapping[str, Any],
    arrays: Arrays,
    *,
    batch: int,
    seed: int,
    initialisation: str = "xavier",
    gain: float = 1.0,
    smoothness: Smoothness = "smooth",
) -> Network:
    """The network of `layers` on `rows`, with parameters drawn as each layer's ``initial`` says.

    `rows` are all rows of the data as NumPy arrays with the rows leading: ``inputs`` and ``targets``, floats
    (rounded to the dtype of `arrays`) or integers (which stay integers). A draw is `batch` of them.
    """
    weights = initial(layers, generator(seed, "weights"), scaled(initialisation, gain))
    everything = Draw(
        {
            name: arrays.integers(numbers) if numbers.dtype.kind == "i" else arrays.array(numbers)
            for name, numbers in rows.items()
        }
    )
    return Network(
        layers=layers,
        criterion=criterion,
        arrays=arrays,
        parameters={name: arrays.array(numbers) for name, numbers in weights.items()},
        data=everything,
        batch=batch,
        default_draw=drawn(layers, everything, batch, seed, arrays),
        call=call,
        smoothness=smoothness,
    )
