"""Layers unrolled in time, beside torch's modules with the same weights."""

from functools import partial
from typing import Any

import torch
from torch.func import functional_call

from problems.layers.lstm import LSTM
from problems.layers.recurrent import Recurrent
from tests.problems.scenarios.case import Scenario

ROWS, STEPS, FEATURES, HIDDEN = 3, 4, 2, 3
SHAPE = (ROWS, STEPS * FEATURES)


def module(kind: Any, output: str, x: Any, weight_ih: Any, weight_hh: Any, bias: Any, **more: Any) -> Any:
    """What torch's module `kind` says of a sequence; its second bias is zero."""
    made = kind(FEATURES, weight_hh.shape[1], batch_first=True, dtype=x.dtype, **more)
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh, "bias_ih_l0": bias}
    weights["bias_hh_l0"] = torch.zeros_like(bias)
    states, _ = functional_call(made, weights, (x.reshape(len(x), -1, FEATURES),))
    return states[:, -1] if output == "last" else states.reshape(len(x), -1)


def linear(x: Any, weight_ih: Any, weight_hh: Any, bias: Any) -> Any:
    """h_T = sum_t (x_t W^T + b) (U^T)^(T - t): the closed form without a nonlinearity."""
    drive = x.reshape(len(x), -1, FEATURES) @ weight_ih.T + bias
    powers = [torch.linalg.matrix_power(weight_hh.T, STEPS - 1 - t) for t in range(STEPS)]
    return torch.einsum("bth,thk->bk", drive, torch.stack(powers))


def recurrent(arrays: Any, **options: Any) -> Recurrent:
    return Recurrent(FEATURES, HIDDEN, options.pop("steps", STEPS), arrays, **options)


def lstm(arrays: Any, **options: Any) -> LSTM:
    return LSTM(FEATURES, HIDDEN, options.pop("steps", STEPS), arrays, **options)


SCENARIOS = {
    **{
        f"recurrent {activation} {output}": Scenario(
            partial(recurrent, activation=activation, output=output),
            partial(module, torch.nn.RNN, output, nonlinearity=activation),
            SHAPE,
        )
        for activation in ("tanh", "relu")
        for output in ("last", "all")
    },
    "recurrent identity": Scenario(partial(recurrent, activation="identity"), linear, SHAPE),
    "recurrent of one step": Scenario(
        partial(recurrent, steps=1), partial(module, torch.nn.RNN, "last"), (ROWS, FEATURES)
    ),
    **{
        f"lstm {output}": Scenario(
            partial(lstm, output=output), partial(module, torch.nn.LSTM, output), SHAPE
        )
        for output in ("last", "all")
    },
    "lstm of one step": Scenario(
        partial(lstm, steps=1), partial(module, torch.nn.LSTM, "all"), (ROWS, FEATURES)
    ),
}
