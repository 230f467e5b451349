"""Deep multilayer perceptrons: many hidden layers of one width, for what depth does."""

from gradmark.arguments import check_fits, check_size
from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.choices import check_choices, check_ends, check_hidden, chosen_network
from problems.hidden import Hidden, numbered
from problems.layers.dense import Dense
from problems.network import Network


def deep_mlp(
    *,
    depth: int = 8,
    width: int = 32,
    activation: str = "tanh",
    normalisation: str = "none",
    frozen: bool = False,
    dropout: float = 0.0,
    loss: str = "cross_entropy",
    initialisation: str = "xavier",
    gain: float = 1.0,
    data: str = "digits",
    inputs: int = 64,
    outputs: int = 10,
    batch: int = 32,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """`depth` hidden layers of `width` units, each a matrix, `normalisation`, `activation` and `dropout`.

    `normalisation` is none, batch or layer, before the activation; with `frozen` its statistics are
    constants, measured on the default draw at the initial parameters. `dropout` is the share of units that
    masks in the draw leave out (to 0.99). `inputs` and `outputs` are free where `data` is synthetic. All else
    is as in `mlp`. Raises `UsageError` for what does not fit, among it batch normalisation of one row.

    >>> problem = deep_mlp(depth=2, width=16, normalisation="layer")
    >>> {name: array.shape for name, array in problem.parameters.items() if "layers.0" not in name}
    {'layers.1.weight': (16,), 'layers.1.bias': (16,), 'layers.3.weight': (16, 16), 'layers.3.bias': (16,), \
'layers.4.weight': (16,), 'layers.4.bias': (16,), 'layers.6.weight': (10, 16), 'layers.6.bias': (10,)}
    """
    arguments = dict(locals())
    rows = check_choices("deep_mlp", arguments)
    check_hidden("deep_mlp", arguments)
    depth, width = check_size("deep_mlp", "depth", depth), check_size("deep_mlp", "width", width)
    ends = check_ends("deep_mlp", arguments)

    def layers(arrays: Arrays) -> tuple[NamedLayer, ...]:
        hidden, found = Hidden(activation, normalisation, dropout, arrays), list[object]()
        for index in range(depth):
            found += hidden.layers(width if index else inputs, width, f"masks.{index}")
        return numbered([*found, Dense(width, outputs, arrays)], "layers.")

    dense = (inputs + 1) * width + (depth - 1) * (width + 1) * width + (width + 1) * outputs
    beside = Hidden(activation, normalisation, dropout, Arrays()).numbers(depth, width, batch)
    check_fits("deep_mlp", dense + beside + rows * sum(ends))
    return chosen_network(Call("deep_mlp", arguments), layers, ends, rows)
