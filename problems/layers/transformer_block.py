"""The block that transformers are stacked of: attention, then a small network for each position."""

from typing import Any

from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from problems.layers.activation import Activation
from problems.layers.attention import self_attention
from problems.layers.chain import Chain
from problems.layers.dense import Dense
from problems.layers.layer_norm import LayerNorm
from problems.layers.residual import Residual


def transformer_block(
    width: int, hidden: int, heads: int, positions: int, causal: bool, activation: str, arrays: Arrays
) -> Chain:
    """x + attention(norm1(x)), and of that x + W_2 phi(W_1 norm2(x) + b_1) + b_2, as one layer.

    Pre-norm (Xiong et al. 2020): what runs through the stack is only ever added to. W_1 makes `hidden` units
    of `width`. Parameters are named as in torch.nn.TransformerEncoderLayer.
    """
    reading = _residual(
        arrays,
        norm1=LayerNorm(width, arrays),
        self_attn=self_attention(width, heads, positions, causal, arrays),
    )
    thinking = _residual(
        arrays,
        norm2=LayerNorm(width, arrays),
        linear1=Dense(width, hidden, arrays),
        activation=Activation(activation, arrays),
        linear2=Dense(hidden, width, arrays),
    )
    return Chain((reading, thinking), arrays)


def _residual(arrays: Arrays, **branch: Any) -> NamedLayer:
    """Without a prefix of its own, so that the block's names stay short."""
    return NamedLayer("", Residual(tuple(NamedLayer(name, layer) for name, layer in branch.items()), arrays))
