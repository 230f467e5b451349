"""Residual networks of dense layers: x + alpha branch(x), block after block."""

from gradmark.arguments import check_fits, check_number, check_size
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.choices import check_choices, check_ends, check_hidden, chosen_network
from problems.hidden import Hidden, numbered
from problems.layers.dense import Dense
from problems.layers.residual import Residual
from problems.network import Network

_LARGEST_ALPHA = 1e4


def resnet_mlp(
    *,
    blocks: int = 4,
    width: int = 32,
    alpha: float = 0.5,
    matrices: int = 2,
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
    """A dense layer of `width` units, `blocks` residual blocks, and a dense layer of `outputs`.

    With one of the `matrices` a block is x + alpha phi(W x), and what is positive on average (relu) adds up;
    with two it is x + alpha V phi(W x), and the variance of x grows like (1 + alpha^2)^blocks: an `alpha`
    (from 0 to 1e4) of about 1 / sqrt(blocks) keeps it. `normalisation` stands between W and phi, `dropout`
    behind phi; all else is as in `deep_mlp`. Raises `UsageError` for what does not fit.

    >>> problem = resnet_mlp(blocks=1, width=16, matrices=1)
    >>> {name: array.shape for name, array in problem.parameters.items() if "weight" in name}
    {'layers.0.weight': (16, 64), 'layers.1.0.weight': (16, 16), 'layers.2.weight': (10, 16)}
    """
    arguments = dict(locals())
    rows = check_choices("resnet_mlp", arguments)
    check_hidden("resnet_mlp", arguments)
    check_number("resnet_mlp", "alpha", alpha, 0, _LARGEST_ALPHA)
    blocks, width = check_size("resnet_mlp", "blocks", blocks), check_size("resnet_mlp", "width", width)
    if check_size("resnet_mlp", "matrices", matrices) > 2:
        raise UsageError(f"resnet_mlp: `matrices={shown(matrices)}` must be 1 or 2, the matrices of a block.")
    ends = check_ends("resnet_mlp", arguments)

    def block(hidden: Hidden, index: int) -> Residual:
        branch = hidden.layers(width, width, f"masks.{index}")
        if matrices == 2:
            branch.append(Dense(width, width, hidden.arrays))
        return Residual(numbered(branch), hidden.arrays, float(alpha))

    def layers(arrays: Arrays) -> tuple[NamedLayer, ...]:
        hidden = Hidden(activation, normalisation, dropout, arrays)
        inner = [block(hidden, index) for index in range(blocks)]
        return numbered([Dense(inputs, width, arrays), *inner, Dense(width, outputs, arrays)], "layers.")

    dense = (inputs + 1) * width + blocks * matrices * (width + 1) * width + (width + 1) * outputs
    beside = Hidden(activation, normalisation, dropout, Arrays()).numbers(blocks, width, batch)
    check_fits("resnet_mlp", dense + beside + rows * sum(ends))
    return chosen_network(Call("resnet_mlp", arguments), layers, ends, rows)
