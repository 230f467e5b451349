"""The problems that methods are judged on: small ones of every kind, and which of them on which backend.

`problems.trials` says what each is of use for.
"""

from collections.abc import Mapping
from typing import Any

_SMALL: Mapping[str, Any] = {"data": "synthetic", "widths": (5, 6, 4, 3), "batch": 8}
PROBLEMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "digits": ("mlp", {"widths": (64, 3, 10), "batch": 8}),
    "tanh": ("mlp", {**_SMALL, "widths": (5, 6, 6, 3), "activation": "tanh", "loss": "cross_entropy"}),
    "relu": ("mlp", {**_SMALL, "activation": "relu", "loss": "mse"}),
    "gelu": ("mlp", {**_SMALL, "activation": "gelu", "loss": "mse"}),
    "deep": ("mlp", {**_SMALL, "widths": (20, 24, 16, 12, 8, 3), "activation": "tanh", "loss": "mse"}),
    "logistic": ("logistic_regression", {"batch": 64}),
    "quadratic": ("quadratic", {"size": 30}),
    "rosenbrock": ("rosenbrock", {"size": 30}),
    "log_sum_exp": ("log_sum_exp", {"size": 30}),
}
"""One has a square matrix, whose transpose fits, and two biases of one shape.

Small, so that an independent reference and all coordinates cost milliseconds: 30 to 235 parameters; "deep"
alone has four hidden layers and a thousand, for what is wrong from there on.
"""
_HIDDEN: Mapping[str, Any] = {"data": "synthetic", "inputs": 5, "outputs": 3, "width": 4, "batch": 6}
STRUCTURED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "batch_norm": ("deep_mlp", {**_HIDDEN, "depth": 2, "normalisation": "batch", "dropout": 0.25}),
    "frozen": ("deep_mlp", {**_HIDDEN, "depth": 2, "normalisation": "batch", "frozen": True}),
    "residual": ("resnet_mlp", {**_HIDDEN, "blocks": 2, "normalisation": "layer", "activation": "silu"}),
    "reversible": ("reversible_mlp", {**_HIDDEN, "blocks": 2}),
    "convnet": ("convnet", {"data": "synthetic", "channels": (2,), "size": 4, "outputs": 3, "batch": 4}),
    "rnn": ("rnn", {"length": 4, "hidden": 3, "batch": 4}),
    "lstm": ("lstm", {"length": 4, "hidden": 3, "batch": 4}),
    "transformer": ("transformer", {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "batch": 2}),
}
"""Networks whose layers are more than matrices: 22 to 417 parameters."""
FULL_LAYERS = {
    ("numpy", "float64"): tuple(STRUCTURED),
    ("numpy", "float32"): ("residual", "convnet", "rnn"),
    ("torch", "float64"): ("batch_norm", "reversible", "lstm", "transformer"),
    ("torch", "float32"): ("convnet", "rnn", "transformer"),
    ("torch", "bfloat16"): ("residual", "convnet", "lstm"),
    ("torch", "float16"): ("frozen", "transformer"),
    ("jax", "float64"): ("convnet", "rnn"),
    ("jax", "float32"): ("batch_norm",),
}
"""Few on JAX, where each costs a method seconds to be compiled."""
CI_LAYERS = {
    ("numpy", "float64"): ("batch_norm", "rnn"),
    ("numpy", "float32"): ("residual",),
    ("torch", "float64"): ("convnet",),
    ("torch", "float32"): ("transformer",),
}
"""None on JAX, where a network of many layers takes seconds to be compiled: the full profile has them."""
FULL = {
    ("numpy", "float64"): tuple(PROBLEMS),
    ("numpy", "float32"): ("tanh", "relu", "rosenbrock"),
    ("torch", "float64"): ("relu", "gelu", "log_sum_exp"),
    ("torch", "float32"): ("digits", "logistic", "quadratic"),
    ("torch", "bfloat16"): ("tanh",),
    ("jax", "float64"): ("tanh", "rosenbrock"),
    ("jax", "float32"): ("logistic",),
}
"""All of it on NumPy in float64; elsewhere networks and functions on every backend and in every dtype."""
CI = {
    ("numpy", "float64"): ("tanh", "relu", "quadratic"),
    ("numpy", "float32"): ("gelu", "rosenbrock"),
    ("torch", "float64"): ("gelu",),
    ("torch", "float32"): ("log_sum_exp",),
    ("jax", "float64"): ("logistic",),
}
"""Backends, dtypes and kinds of problem in pairs; most on NumPy, where many methods run alone."""
_TINY: Mapping[str, Any] = {"data": "synthetic", "widths": (3, 3, 2), "batch": 3}
FIRST_AND_SECOND: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "tanh": ("mlp", {**_TINY, "activation": "tanh", "loss": "mse"}),
    "gelu": ("mlp", {**_TINY, "activation": "gelu", "loss": "cross_entropy"}),
    "relu": ("mlp", {**_TINY, "activation": "relu", "loss": "mse"}),
    "logistic": ("logistic_regression", {"batch": 6}),
    "rosenbrock": ("rosenbrock", {"size": 6}),
    "rnn": ("rnn", {"length": 3, "hidden": 2, "batch": 2}),
    "residual": ("resnet_mlp", {**_HIDDEN, "width": 2, "inputs": 2, "outputs": 2, "batch": 3, "blocks": 1}),
}
"""With a square matrix, and outputs that leave a residual: a Hessian is more than its Gauss-Newton part. 6 to
31 parameters, because a Hessian has their square."""
FULL_QUANTITIES = {
    ("numpy", "float64"): ("tanh", "relu", "logistic", "rosenbrock", "rnn", "residual"),
    ("numpy", "float32"): ("tanh",),
    ("torch", "float64"): ("gelu", "rosenbrock"),
    ("torch", "float32"): ("tanh", "rnn"),
    ("jax", "float64"): ("tanh",),
    ("jax", "float32"): ("gelu",),
}
CI_QUANTITIES = {
    ("numpy", "float64"): ("tanh",),
    ("torch", "float32"): ("gelu",),
    ("jax", "float64"): ("tanh",),
}
