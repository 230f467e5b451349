"""Reversible networks of dense layers: additive coupling, block after block."""

from gradmark.arguments import check_fits, check_number, check_size
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.choices import LARGEST_RATE, check_choices, check_ends, chosen_network
from problems.hidden import Hidden, numbered
from problems.layers.chain import Chain
from problems.layers.coupling import Coupling
from problems.layers.dense import Dense
from problems.network import Network


def reversible_mlp(
    *,
    blocks: int = 4,
    width: int = 32,
    activation: str = "tanh",
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
    """A dense layer of `width` units, `blocks` coupling blocks, and a dense layer of `outputs`.

    A block is y1 = x1 + phi(F x2), y2 = x2 + phi(G y1) of the two halves of its units, so `width` is even;
    its input can be computed from its output. What phi makes is added up, so with relu the units grow with
    depth, and with tanh they stay below the number of blocks. `dropout` stands behind phi; all else is as in
    `deep_mlp`. Raises `UsageError` for what does not fit.

    >>> problem = reversible_mlp(blocks=1, width=16)
    >>> {name: array.shape for name, array in problem.parameters.items() if "weight" in name}
    {'layers.0.weight': (16, 64), 'layers.1.f.0.weight': (8, 8), 'layers.1.g.0.weight': (8, 8), \
'layers.2.weight': (10, 16)}
    """
    arguments = dict(locals())
    rows = check_choices("reversible_mlp", arguments)
    check_number("reversible_mlp", "dropout", dropout, 0, LARGEST_RATE)
    blocks = check_size("reversible_mlp", "blocks", blocks)
    if check_size("reversible_mlp", "width", width, 2) % 2:
        raise UsageError(f"reversible_mlp: `width={shown(width)}` must be even: its halves are coupled.")
    ends, half = check_ends("reversible_mlp", arguments), width // 2

    def layers(arrays: Arrays) -> tuple[NamedLayer, ...]:
        hidden = Hidden(activation, "none", dropout, arrays)

        def branch(name: str, index: int) -> NamedLayer:
            found = hidden.layers(half, half, f"masks.{index}.{name}")
            return NamedLayer(name, Chain(numbered(found), arrays))

        inner = [Coupling((branch("f", i), branch("g", i)), arrays) for i in range(blocks)]
        return numbered([Dense(inputs, width, arrays), *inner, Dense(width, outputs, arrays)], "layers.")

    dense = (inputs + 1) * width + blocks * (half + 1) * width + (width + 1) * outputs
    beside = Hidden(activation, "none", dropout, Arrays()).numbers(2 * blocks, half, batch)
    check_fits("reversible_mlp", dense + beside + rows * sum(ends))
    return chosen_network(Call("reversible_mlp", arguments), layers, ends, rows)
