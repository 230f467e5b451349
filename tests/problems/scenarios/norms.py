"""Normalisations, residual connections, dropout, softmax, and the affine layer that has no bias."""

import numpy as np
import torch
from torch.nn import functional

from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from problems.layers.activation import Activation
from problems.layers.batch_norm import BatchNorm
from problems.layers.dense import Dense
from problems.layers.dropout import Dropout
from problems.layers.layer_norm import LayerNorm
from problems.layers.linear import Linear
from problems.layers.residual import Residual
from problems.layers.softmax import Softmax
from problems.layers.standardising import Statistics
from tests.problems.scenarios.case import ROWS, UNITS, Scenario

ALPHA, RATE = 0.7, 0.25
MEAN, VARIANCE = np.linspace(-1, 1, UNITS), np.linspace(0.5, 2, UNITS)
MASK = np.where(np.arange(ROWS * UNITS).reshape(ROWS, UNITS) % 3 == 0, 0, 1 / (1 - RATE))


def _branch(arrays: Arrays, matrices: int) -> Residual:
    layers = [Dense(UNITS, UNITS, arrays), BatchNorm(UNITS, arrays), Activation("tanh", arrays)]
    layers += [Linear(UNITS, UNITS, arrays)] * (matrices - 1)
    return Residual(tuple(NamedLayer(str(i), each) for i, each in enumerate(layers)), arrays, ALPHA)


def _torch_branch(x, weight, bias, scale, shift, second=None):
    h = functional.linear(x, weight, bias)
    h = torch.tanh(functional.batch_norm(h, None, None, scale, shift, training=True))
    return x + ALPHA * (h if second is None else functional.linear(h, second))


def _frozen_batch_norm(x, weight, bias):
    return functional.batch_norm(x, torch.tensor(MEAN), torch.tensor(VARIANCE), weight, bias)


SCENARIOS = {
    "linear": Scenario(lambda arrays: Linear(UNITS, 3, arrays), functional.linear),
    "batch_norm": Scenario(
        lambda arrays: BatchNorm(UNITS, arrays),
        lambda x, weight, bias: functional.batch_norm(x, None, None, weight, bias, training=True),
    ),
    "batch_norm frozen": Scenario(
        lambda arrays: BatchNorm(UNITS, arrays, statistics=Statistics(MEAN, VARIANCE)), _frozen_batch_norm
    ),
    "layer_norm": Scenario(
        lambda arrays: LayerNorm(UNITS, arrays),
        lambda x, weight, bias: functional.layer_norm(x, (UNITS,), weight, bias),
    ),
    "layer_norm frozen": Scenario(
        lambda arrays: LayerNorm(UNITS, arrays, statistics=Statistics(np.array([0.3]), np.array([1.5]))),
        lambda x, weight, bias: weight * (x - 0.3) / (1.5 + 1e-5) ** 0.5 + bias,
    ),
    "residual": Scenario(lambda arrays: _branch(arrays, 1), _torch_branch),
    "residual with a second matrix": Scenario(lambda arrays: _branch(arrays, 2), _torch_branch),
    "dropout": Scenario(
        lambda arrays: Dropout(UNITS, RATE, "mask", arrays),
        lambda x: x * torch.tensor(MASK),
        draw={"mask": MASK},
    ),
    "dropout of positions": Scenario(
        lambda arrays: Dropout(UNITS, RATE, "mask", arrays, positions=2),
        lambda x: x * torch.tensor(MASK),
        draw={"mask": MASK.reshape(ROWS // 2, 2 * UNITS)},
    ),
    "softmax": Scenario(Softmax, lambda x: torch.softmax(x, -1)),
}
