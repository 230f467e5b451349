"""A small transformer as a model of characters: which one comes next, at every position of a text."""

from typing import Any

from gradmark.arguments import check_fits, check_name, check_number, check_size
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.assembling import assemble
from problems.choices import LARGEST_GAIN
from problems.initialisations import INITIALISATIONS
from problems.layers.dense import Dense
from problems.layers.embedding import Embedding
from problems.layers.layer_norm import LayerNorm
from problems.layers.nonlinearities import NONLINEARITIES
from problems.layers.transformer_block import transformer_block
from problems.losses import CrossEntropy
from problems.network import Network
from problems.text import ALPHABET, ROWS, windows


def transformer(
    *,
    blocks: int = 2,
    width: int = 32,
    heads: int = 4,
    positions: int = 16,
    hidden: int = 4,
    activation: str = "gelu",
    initialisation: str = "xavier",
    gain: float = 1.0,
    batch: int = 8,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """`blocks` causal pre-norm blocks between embeddings and a dense head, on `problems.text`.

    Each of `positions` characters is `width` numbers, of which each of the `heads` takes an equal part; the
    network inside of a block has `hidden` times as many units and one of the activations of `mlp` (gelu needs
    a dtype that has an erfc). Matrices start as `initialisation` says (xavier, he, lecun, orthogonal or
    normal), times `gain` (from 0 to 1e4), embeddings as standard normal numbers, biases at zero. The loss is
    the cross entropy of the next character, the mean over rows and positions; a draw is `batch` rows. Raises
    `UsageError` for a name or size that does not fit, or that would not fit into memory.

    >>> problem = transformer(blocks=1, width=8, heads=2)
    >>> for name, array in problem.parameters.items():
    ...     print(name, array.shape)
    layers.0.token (17, 8)
    layers.0.position (16, 8)
    layers.1.norm1.weight (8,)
    layers.1.norm1.bias (8,)
    layers.1.self_attn.in_proj_weight (24, 8)
    layers.1.self_attn.in_proj_bias (24,)
    layers.1.self_attn.out_proj.weight (8, 8)
    layers.1.self_attn.out_proj.bias (8,)
    layers.1.norm2.weight (8,)
    layers.1.norm2.bias (8,)
    layers.1.linear1.weight (32, 8)
    layers.1.linear1.bias (32,)
    layers.1.linear2.weight (8, 32)
    layers.1.linear2.bias (8,)
    layers.2.weight (8,)
    layers.2.bias (8,)
    layers.3.weight (17, 8)
    layers.3.bias (17,)
    """
    arguments = dict(locals())
    check_name("activation", activation, NONLINEARITIES)
    check_name("initialisation", initialisation, INITIALISATIONS)
    check_number("transformer", "gain", gain, 0, LARGEST_GAIN)
    blocks, heads, positions, hidden, batch = (
        check_size("transformer", name, arguments[name])
        for name in ("blocks", "heads", "positions", "hidden", "batch")
    )
    width = check_size("transformer", "width", width, 2)
    if width % heads:
        raise UsageError(
            f"transformer: `width={shown(width)}` cannot be divided among `heads={shown(heads)}`: choose a "
            "multiple of it."
        )
    rows = max(batch, ROWS)
    check_fits("transformer", _numbers(blocks, width, heads, positions, hidden, batch, rows))
    arrays = Arrays(backend, device, dtype)
    stack: list[Any] = [
        Embedding(len(ALPHABET), width, positions, arrays),
        *(
            transformer_block(width, hidden * width, heads, positions, True, activation, arrays)
            for _ in range(blocks)
        ),
        LayerNorm(width, arrays),
        Dense(width, len(ALPHABET), arrays),
    ]
    return assemble(
        Call("transformer", arguments),
        tuple(NamedLayer(f"layers.{index}", layer) for index, layer in enumerate(stack)),
        CrossEntropy(arrays),
        windows(rows, positions, seed),
        arrays,
        batch=batch,
        seed=seed,
        initialisation=initialisation,
        gain=gain,
        smoothness=NONLINEARITIES[activation].smoothness,
    )


def _numbers(blocks: int, width: int, heads: int, positions: int, hidden: int, batch: int, rows: int) -> int:
    """How many numbers there are: parameters, text, and one block's attention, which grows with T^2."""
    block = 4 * width * (width + 1) + hidden * width * (2 * width + 1) + 5 * width
    characters = len(ALPHABET)
    ends = width * (2 * characters + positions + 2) + characters
    text = rows * positions * (characters + 1)
    return blocks * (block + _OBJECTS) + ends + text + batch * heads * positions**2


_OBJECTS = 1024
"""Numbers of 16 bytes that the objects of one block take beside its arrays."""
