"""The adding problem with long short-term memory."""

from gradmark.arguments import check_fits, check_name, check_number, check_size
from gradmark.arrays import Arrays
from gradmark.layer import Layer, NamedLayer
from gradmark.problem import Call
from problems.assembling import assemble
from problems.initialisations import INITIALISATIONS
from problems.layers.dense import Dense
from problems.layers.lstm import LSTM
from problems.losses import MeanSquaredError
from problems.network import Network
from problems.sequences import FEATURES, adding, rows_there

_LARGEST_BIAS = 1e4
"""Far beyond where a gate is open or shut in every dtype."""


def lstm(
    *,
    length: int = 20,
    hidden: int = 16,
    layers: int = 1,
    forget_bias: float = 1.0,
    initialisation: str = "xavier",
    batch: int = 32,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """The sum of two marked numbers among `length`, by `layers` LSTMs of `hidden` units and a dense layer.

    The biases of the forget gates start at `forget_bias` (from -1e4 to 1e4; 1 as Jozefowicz, Zaremba and
    Sutskever 2015 advise), all others at zero; weights as `initialisation` says (xavier, he, lecun,
    orthogonal or normal), each gate's by itself. The loss is mse; a draw is `batch` of 1024 or more sequences
    (see `problems.sequences.adding`). Raises `UsageError` for a name or size that does not fit, or that would
    not fit into memory.

    >>> problem = lstm(hidden=16)
    >>> for name, array in problem.parameters.items():
    ...     print(name, array.shape)
    layers.0.weight_ih (64, 2)
    layers.0.weight_hh (64, 16)
    layers.0.bias (64,)
    layers.1.weight (1, 16)
    layers.1.bias (1,)
    """
    arguments = dict(locals())
    check_name("initialisation", initialisation, INITIALISATIONS)
    check_number("lstm", "forget_bias", forget_bias, -_LARGEST_BIAS, _LARGEST_BIAS)
    length, hidden = check_size("lstm", "length", length, 2), check_size("lstm", "hidden", hidden)
    layers = check_size("lstm", "layers", layers)
    rows = rows_there(check_size("lstm", "batch", batch))
    weights = 4 * hidden * ((2 * layers - 1) * hidden + FEATURES + layers) + hidden + 1
    # A thousand numbers for each layer beside its weights, so that millions of tiny ones are refused too.
    check_fits("lstm", weights + 1000 * layers + rows * (FEATURES * length + 1))
    arrays = Arrays(backend, device, dtype)
    return assemble(
        Call("lstm", arguments),
        _layers(hidden, layers, length, forget_bias, arrays),
        MeanSquaredError(arrays),
        adding(rows, length, seed),
        arrays,
        batch=batch,
        seed=seed,
        initialisation=initialisation,
    )


def _layers(
    hidden: int, layers: int, length: int, forget_bias: float, arrays: Arrays
) -> tuple[NamedLayer, ...]:
    """All LSTMs but the last one hand on all their states."""
    every: list[Layer] = [
        LSTM(
            hidden if index else FEATURES,
            hidden,
            length,
            arrays,
            "all" if index < layers - 1 else "last",
            forget_bias,
        )
        for index in range(layers)
    ]
    every.append(Dense(hidden, 1, arrays))
    return tuple(NamedLayer(f"layers.{index}", layer) for index, layer in enumerate(every))
