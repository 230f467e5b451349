"""The parts of a transformer: embedding, self-attention and the block."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, func
from torch.nn import TransformerEncoderLayer, functional

from gradmark.arrays import Arrays
from problems.layers.attention import self_attention
from problems.layers.embedding import Embedding
from problems.layers.transformer_block import transformer_block
from tests.problems.scenarios.case import Scenario

ROWS, POSITIONS, WIDTH, HEADS, HIDDEN = 2, 3, 4, 2, 6
TOKENS = [[0, 4, 0], [2, 0, 4]]  # some more than once, some never


def _attention(causal: bool, arrays: Arrays) -> Any:
    return self_attention(WIDTH, HEADS, POSITIONS, causal, arrays)


def _block(arrays: Arrays) -> Any:
    return transformer_block(WIDTH, HIDDEN, HEADS, POSITIONS, True, "sigmoid", arrays)


def torch_embedding(x: Tensor, token: Tensor, position: Tensor) -> Tensor:
    return (functional.embedding(x, token) + position).flatten(0, 1)


def torch_attention(causal: bool, x: Tensor, *p: Any) -> Tensor:
    """torch's own, which wants the positions leading: (T, rows, width)."""
    into, into_bias, out, out_bias = p
    x = x.reshape(ROWS, POSITIONS, WIDTH).transpose(0, 1)
    mask = x.new_full((POSITIONS, POSITIONS), float("-inf")).triu(1) if causal else None
    y, _ = functional.multi_head_attention_forward(
        x, x, x, WIDTH, HEADS, into, into_bias, None, None, False, 0.0, out, out_bias, attn_mask=mask
    )
    return y.transpose(0, 1).flatten(0, 1)


def torch_block(x: Tensor, *p: Any) -> Tensor:
    """torch's own layer, with the block's parameters under the same names."""
    layer = TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, 0.0, torch.sigmoid, batch_first=True, norm_first=True, dtype=x.dtype
    )
    mask = x.new_full((POSITIONS, POSITIONS), float("-inf")).triu(1)
    named = dict(zip(_block(Arrays()).shapes(), p, strict=True))
    y = func.functional_call(layer, named, (x.reshape(ROWS, POSITIONS, WIDTH), mask))
    return y.flatten(0, 1)


SCENARIOS = {
    "embedding": Scenario(
        lambda arrays: Embedding(5, WIDTH, POSITIONS, arrays),
        torch_embedding,
        inputs=TOKENS,
        input_gradient=False,
    ),
    **{
        name: Scenario(
            make,
            reference,
            shape=(ROWS * POSITIONS, WIDTH),
            scale=0.5,  # of normal size, a softmax of squares bends sharply
        )
        for name, make, reference in [
            ("attention", partial(_attention, False), partial(torch_attention, False)),
            ("causal_attention", partial(_attention, True), partial(torch_attention, True)),
            ("transformer_block", _block, torch_block),
        ]
    },
}
