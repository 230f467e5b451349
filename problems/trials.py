"""The trials that `gradmark validate` holds a method in: "full" is thorough, "ci" small and quick.

A stage of the judge takes the trials that carry its name among their roles.
"""

from collections.abc import Mapping
from typing import Any

from gradmark.arrays import installed
from gradmark.judging.trial import Trial
from problems.mlp import widths_for

_LAW = frozenset({"sequential", "efficiency", "controls"})
_MEAN = frozenset({"sequential"})
_RATE = frozenset({"sequential", "efficiency"})
_WEIGHTS = frozenset({"identification"})
_MOVES = frozenset({"identification", "noise"})
_BIAS = frozenset({"bias"})
_EVERY = frozenset({"contract", "accuracy", "estimates", "invariance", "controls"})
_ORDER = frozenset({"order"})
"""Seen in float64 alone; and steps are no matter of the backend."""
_COST = frozenset({"cost"})
_QUANTITIES = frozenset({"quantities"})
"""For what is computed beside the gradient."""
_ROWS = 128
"""So many that a pass over a thousand parameters is more than its fixed cost."""
_FEW = (150, 300, 600)
"""For counts, which are exact at any size."""
_STEPS = (150, 300, 600, 1_200, 2_500, 5_000)
"""For times that grow with the square of the parameters."""
_LEAPS = (10_000, 20_000, 50_000, 100_000)
_LARGE = (170_000, 240_000, 340_000, 480_000, 680_000, 960_000, 1_360_000, 1_900_000)
"""For memory, which is known to some 320 KiB: from 1.3 to 15 MB of parameters."""
_SMALL: Mapping[str, Any] = {"data": "synthetic", "widths": (5, 6, 4, 3), "batch": 8}
_PROBLEMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
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
_STRUCTURED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
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
_LAYERS = frozenset({"contract", "accuracy", "invariance"})
_FULL_LAYERS = {
    ("numpy", "float64"): tuple(_STRUCTURED),
    ("numpy", "float32"): ("residual", "convnet", "rnn"),
    ("torch", "float64"): ("batch_norm", "reversible", "lstm", "transformer"),
    ("torch", "float32"): ("convnet", "rnn", "transformer"),
    ("torch", "bfloat16"): ("residual", "convnet", "lstm"),
    ("torch", "float16"): ("frozen", "transformer"),
    ("jax", "float64"): ("convnet", "rnn"),
    ("jax", "float32"): ("batch_norm",),
}
"""Few on JAX, where each costs a method seconds to be compiled."""
_CI_LAYERS = {
    ("numpy", "float64"): ("batch_norm", "rnn"),
    ("numpy", "float32"): ("residual",),
    ("torch", "float64"): ("convnet",),
    ("torch", "float32"): ("transformer",),
    ("jax", "float64"): ("convnet",),
}
_FULL = {
    ("numpy", "float64"): tuple(_PROBLEMS),
    ("numpy", "float32"): ("tanh", "relu", "rosenbrock"),
    ("torch", "float64"): ("relu", "gelu", "log_sum_exp"),
    ("torch", "float32"): ("digits", "logistic", "quadratic"),
    ("torch", "bfloat16"): ("tanh",),
    ("jax", "float64"): ("tanh", "rosenbrock"),
    ("jax", "float32"): ("logistic",),
}
"""All of it on NumPy in float64; elsewhere networks and functions on every backend and in every dtype."""
_CI = {
    ("numpy", "float64"): ("tanh", "relu", "quadratic"),
    ("numpy", "float32"): ("gelu", "rosenbrock"),
    ("torch", "float64"): ("gelu",),
    ("torch", "float32"): ("log_sum_exp",),
    ("jax", "float64"): ("relu",),
}
"""Backends, dtypes and kinds of problem in pairs; most on NumPy, where many methods run alone."""


_TINY: Mapping[str, Any] = {"data": "synthetic", "widths": (3, 3, 2), "batch": 3}
_FIRST_AND_SECOND: Mapping[str, tuple[str, Mapping[str, Any]]] = {
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
_FULL_QUANTITIES = {
    ("numpy", "float64"): ("tanh", "relu", "logistic", "rosenbrock", "rnn", "residual"),
    ("numpy", "float32"): ("tanh",),
    ("torch", "float64"): ("gelu", "rosenbrock"),
    ("torch", "float32"): ("tanh", "rnn"),
    ("jax", "float64"): ("tanh",),
    ("jax", "float32"): ("gelu",),
}
_CI_QUANTITIES = {
    ("numpy", "float64"): ("tanh",),
    ("torch", "float32"): ("gelu",),
    ("jax", "float64"): ("tanh",),
}


def full() -> list[Trial]:
    """Every kind of problem, on every backend that is installed, in several dtypes."""
    return [
        *_every(_FULL),
        *_structured(_FULL_LAYERS),
        *_beside(_FULL_QUANTITIES),
        *_estimated(),
        *(Trial("polynomial", {"size": 40, "degree": 1}, _LAW, backend="torch") for _ in _on("torch")),
        Trial("polynomial", {"size": 40, "degree": 1}, _MEAN, dtype="float32"),
        Trial("polynomial", {"size": 40, "degree": 2}, _MEAN),
        *_watched(),
        *_watched_elsewhere(),
        *_sizes("numpy", (*_STEPS, *_LEAPS, *_LARGE), batch=_ROWS),
        *(each for backend in _on("torch") for each in _sizes(backend, (*_STEPS, *_LEAPS), batch=_ROWS)),
        *(each for backend in _on("jax") for each in _sizes(backend, _LEAPS, batch=_ROWS)),
    ]


def ci() -> list[Trial]:
    """A few seconds for a method: small problems that cover backends and dtypes in pairs."""
    counted = [each for backend in _on("numpy", "torch", "jax") for each in _sizes(backend, _FEW, batch=4)]
    return [
        *_every(_CI),
        *_structured(_CI_LAYERS),
        *_beside(_CI_QUANTITIES, frozenset({"quick"})),
        *_estimated(frozenset({"quick"})),
        *_watched(),
        *counted,
    ]


def _sizes(backend: str, sizes: tuple[int, ...], batch: int) -> list[Trial]:
    """One network at many sizes: depth and batch stay."""
    widths = [widths_for(parameters) for parameters in sizes]
    return [Trial("mlp", {"widths": each, "batch": batch}, _COST, backend=backend) for each in widths]


def _estimated(also: frozenset[str] = frozenset()) -> list[Trial]:
    """Small, because random methods are called thousands of times: a linear loss, and a layer's tangents."""
    return [
        Trial("polynomial", {"size": 40, "degree": 1}, _LAW | also),
        Trial("mlp", {"widths": (6, 4), "data": "synthetic", "batch": 4}, _RATE | also),
    ]


def _watched() -> list[Trial]:
    """More parameters than the 64 directions of a call that is recorded; bias needs a third derivative."""
    return [
        Trial("polynomial", {"size": 100, "degree": 1}, _MOVES),
        Trial("polynomial", {"size": 100, "degree": 3}, _BIAS),
        Trial("mlp", {"widths": (20, 6, 4), "data": "synthetic", "batch": 4}, _MOVES | _BIAS),
    ]


def _watched_elsewhere() -> list[Trial]:
    return [
        Trial("polynomial", {"size": 100, "degree": 4}, _BIAS),
        Trial("polynomial", {"size": 256, "degree": 1}, _WEIGHTS, dtype="float32"),
        *(Trial("polynomial", {"size": 100, "degree": 1}, _WEIGHTS, backend=each) for each in _on("jax")),
        *(Trial("polynomial", {"size": 256, "degree": 1}, _MOVES, backend=each) for each in _on("torch")),
        *(Trial("polynomial", {"size": 100, "degree": 3}, _BIAS, backend=each) for each in _on("torch")),
    ]


def _every(chosen: Mapping[tuple[str, str], tuple[str, ...]]) -> list[Trial]:
    """Trials for what is asked of every method, by backend and dtype."""
    return [
        Trial(
            *_PROBLEMS[name],
            _EVERY | _ORDER if (backend, dtype) == ("numpy", "float64") and name != "deep" else _EVERY,
            backend=backend,
            dtype=dtype,
        )
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _structured(chosen: Mapping[tuple[str, str], tuple[str, ...]]) -> list[Trial]:
    """The networks of `_STRUCTURED`, for what does not depend on which network it is."""
    return [
        Trial(*_STRUCTURED[name], _LAYERS, backend=backend, dtype=dtype)
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _beside(
    chosen: Mapping[tuple[str, str], tuple[str, ...]], also: frozenset[str] = frozenset()
) -> list[Trial]:
    """Tiny problems for what is computed beside the gradient."""
    return [
        Trial(*_FIRST_AND_SECOND[name], _QUANTITIES | also, backend=backend, dtype=dtype)
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _on(*backends: str) -> list[str]:
    return [backend for backend in backends if installed(backend)]
