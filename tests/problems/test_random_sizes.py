"""Layers at sizes that nobody chose: their passes are transposes, and any of their arrays take members."""

from collections.abc import Callable
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from problems.layers.attention import self_attention
from problems.layers.batch_norm import BatchNorm
from problems.layers.convolution import Convolution
from problems.layers.layer_norm import LayerNorm
from problems.layers.lstm import LSTM
from problems.layers.pooling import AveragePool, MaxPool
from problems.layers.recurrent import Recurrent
from problems.layers.softmax import Softmax

Made = tuple[Any, tuple[int, int]]
Sizes = Callable[[int], int]
MEMBERS = 2
# Roundings on the way of one number: sums of at most 3 channels x 16 pixels or 4 steps, and functions.
ROUNDINGS = 512


def convolution(size: Sizes, arrays: Arrays) -> Made:
    ends, image, kernel, padding = (size(3), size(3)), (size(5), size(5)), size(4), size(3) - 1
    assume(min(image) + 2 * padding >= kernel)
    return Convolution(*ends, *image, kernel, size(3), padding, arrays), (
        size(3),
        ends[0] * image[0] * image[1],
    )


def pool(kind: Any, size: Sizes, arrays: Arrays) -> Made:
    image, window = (size(6), size(6)), size(4)
    assume(min(image) >= window)
    return kind(*image, window, size(4), arrays), (size(3), size(2) * image[0] * image[1])


def attention(size: Sizes, arrays: Arrays) -> Made:
    heads, positions = size(3), size(4)
    width = heads * size(2)
    return self_attention(width, heads, positions, size(2) == 1, arrays), (size(3) * positions, width)


def recurrent(kind: Any, size: Sizes, arrays: Arrays) -> Made:
    features, steps = size(3), size(4)
    layer = kind(features, size(3), steps, arrays, output="all" if size(2) == 1 else "last")
    return layer, (size(3), features * steps)


def normalisation(kind: Any, size: Sizes, arrays: Arrays) -> Made:
    units = 1 + size(4)
    return kind(units, arrays), (1 + size(4), units)


def softmax(size: Sizes, arrays: Arrays) -> Made:
    return Softmax(arrays), (size(4), size(5))


LAYERS: dict[str, Callable[[Sizes, Arrays], Made]] = {
    "convolution": convolution,
    "attention": attention,
    "softmax": softmax,
    "max pool": lambda *made: pool(MaxPool, *made),
    "average pool": lambda *made: pool(AveragePool, *made),
    "recurrent": lambda *made: recurrent(Recurrent, *made),
    "lstm": lambda *made: recurrent(LSTM, *made),
    "batch_norm": lambda *made: normalisation(BatchNorm, *made),
    "layer_norm": lambda *made: normalisation(LayerNorm, *made),
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_passes_are_transposes_and_members_are_a_loop(name: str, backend: str, data: st.DataObject) -> None:
    arrays = Arrays(backend)
    layer, shape = LAYERS[name](lambda most: data.draw(st.integers(1, most)), arrays)
    random, draw = np.random.default_rng(data.draw(st.integers(0, 99))), Draw({})
    shapes = {"x": shape, **layer.shapes()}

    def numbers(lead: tuple[int, ...] = ()) -> dict[str, Any]:
        return {key: arrays.array(random.standard_normal((*lead, *at))) for key, at in shapes.items()}

    def output(at: dict[str, Any]) -> tuple[Any, Any]:
        found: tuple[Any, Any] = layer.forward({key: at[key] for key in layer.shapes()}, at["x"], draw)
        return found

    at, tangents, members = numbers(), numbers((MEMBERS,)), numbers((MEMBERS,))
    y, saved = output(at)
    assert tuple(y.shape) == layer.output_shape(shape)
    dy = arrays.array(random.standard_normal(tuple(y.shape)))
    own = {key: at[key] for key in layer.shapes()}
    dx, gradient = layer.pullback(own, saved, dy)
    back = {"x": dx, **gradient}
    dp = {key: tangents[key] for key in layer.shapes()}
    moved = to_numpy(layer.pushforward(own, saved, tangents["x"], dp or None))
    for member in range(MEMBERS):
        ahead = to_numpy(dy) * moved[member]
        terms = [to_numpy(back[key]) * to_numpy(tangents[key])[member] for key in shapes]
        slack = np.sum(np.abs(ahead)) + sum(np.sum(np.abs(each)) for each in terms)
        distance = np.sum(ahead) - sum(np.sum(each) for each in terms)
        assert abs(distance) <= ROUNDINGS * arrays.epsilon * slack
    for moving in chain.from_iterable(combinations(shapes, count) for count in range(1, len(shapes) + 1)):
        together = to_numpy(output({**at, **{key: members[key] for key in moving}})[0])
        for member in range(MEMBERS):
            one = to_numpy(output({**at, **{key: members[key][member, ...] for key in moving}})[0])
            slack = ROUNDINGS * arrays.epsilon * (1 + np.max(np.abs(one)))
            np.testing.assert_allclose(together[member], one, rtol=0, atol=slack, err_msg=str(moving))
