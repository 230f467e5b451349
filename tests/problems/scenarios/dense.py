"""Dense layers, activations and what opens a network."""

from functools import partial

import torch
from torch.nn import functional

from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.layers.nonlinearities import LEAKY_SLOPE, NONLINEARITIES
from problems.layers.opening import Given, Offset
from tests.problems.scenarios.case import ROWS, UNITS, Scenario

TORCH = {
    "identity": lambda z: z.clone(),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, LEAKY_SLOPE),
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
}
LIMITED = {"gelu": {"dtype": "float64", "backends": ("numpy", "torch", "jax")}}

SCENARIOS = {
    "dense": Scenario(lambda arrays: Dense(UNITS, 3, arrays), functional.linear),
    "given": Scenario(
        lambda arrays: Given(ROWS, UNITS, arrays), lambda x, inputs: inputs + 0 * x, input_gradient=False
    ),
    "offset": Scenario(lambda arrays: Offset(ROWS, UNITS, arrays), lambda x, offset: x + offset),
    **{
        name: Scenario(partial(Activation, name), TORCH[name], **LIMITED.get(name, {}))
        for name in NONLINEARITIES
    },
}
