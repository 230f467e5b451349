"""Additive coupling blocks: with branches of one layer, and of several."""

from typing import Any

import torch
from torch.nn import functional

from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from problems.layers.activation import Activation
from problems.layers.chain import Chain
from problems.layers.coupling import Coupling
from problems.layers.dense import Dense
from tests.problems.scenarios.case import ROWS, Scenario

HALF = 3


def branch(arrays: Arrays, width: int) -> Chain:
    """W2 tanh(W1 x + b1) + b2, with `width` hidden units."""
    layers = (Dense(HALF, width, arrays), Activation("tanh", arrays), Dense(width, HALF, arrays))
    return Chain(tuple(NamedLayer(str(i), layer) for i, layer in enumerate(layers)), arrays)


def coupling(arrays: Arrays) -> Coupling:
    """A block whose two branches differ."""
    return Coupling((NamedLayer("f", branch(arrays, 2)), NamedLayer("g", branch(arrays, 4))), arrays)


def activations_only(arrays: Arrays) -> Coupling:
    """A block that has no parameters."""
    tanh = Activation("tanh", arrays)
    return Coupling((NamedLayer("f", tanh), NamedLayer("g", tanh)), arrays)


def torch_coupling(x: Any, *p: Any) -> Any:
    """The same of torch's own operations."""
    x1, x2 = x.chunk(2, dim=-1)
    y1 = x1 + torch_branch(x2, *p[:4])
    return torch.cat([y1, x2 + torch_branch(y1, *p[4:])], dim=-1)


def torch_branch(x: Any, *p: Any) -> Any:
    """One branch; without parameters tanh."""
    return functional.linear(torch.tanh(functional.linear(x, *p[:2])), *p[2:]) if p else torch.tanh(x)


SCENARIOS = {
    "coupling": Scenario(coupling, torch_coupling, shape=(ROWS, 2 * HALF)),
    "coupling without parameters": Scenario(activations_only, torch_coupling, shape=(ROWS, 2 * HALF)),
}
