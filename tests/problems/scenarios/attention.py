"""The parts of a transformer: embedding, self-attention and the block."""

from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import functional

from gradmark.arrays import Arrays
from problems.layers.attention import SelfAttention
from problems.layers.embedding import Embedding
from tests.problems.scenarios.case import Scenario

ROWS, POSITIONS, WIDTH, HEADS = 2, 3, 4, 2
TOKENS = [[0, 4, 0], [2, 0, 4]]  # some more than once, some never


def _attention(causal: bool, arrays: Arrays) -> SelfAttention:
    return SelfAttention(WIDTH, HEADS, POSITIONS, causal, arrays)


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


SCENARIOS = {
    "embedding": Scenario(
        lambda arrays: Embedding(5, WIDTH, POSITIONS, arrays),
        torch_embedding,
        inputs=TOKENS,
        input_gradient=False,
    ),
    **{
        name: Scenario(
            partial(_attention, causal), partial(torch_attention, causal), shape=(ROWS * POSITIONS, WIDTH)
        )
        for name, causal in {"attention": False, "causal_attention": True}.items()
    },
}
