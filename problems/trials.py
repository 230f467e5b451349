"""The trials that `gradmark validate` holds a method in: "full" is thorough, "ci" small and quick.

A stage of the judge takes the trials that carry its name among their roles.
"""

from collections.abc import Mapping

from gradmark.arrays import installed
from gradmark.judging.trial import Trial
from problems.mlp import widths_for
from problems.trial_problems import (
    CI,
    CI_LAYERS,
    CI_QUANTITIES,
    FIRST_AND_SECOND,
    FULL,
    FULL_LAYERS,
    FULL_QUANTITIES,
    PROBLEMS,
    STRUCTURED,
)

_LAW = frozenset({"sequential", "efficiency", "controls"})
_MEAN = frozenset({"sequential"})
_SHOWN = frozenset({"sequential", "controls"})
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
_LAYERS = frozenset({"contract", "accuracy", "invariance"})


def full() -> list[Trial]:
    """Every kind of problem, on every backend that is installed, in several dtypes."""
    return [
        *_every(FULL),
        *_structured(FULL_LAYERS),
        *_beside(FULL_QUANTITIES),
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
        *_every(CI),
        *_structured(CI_LAYERS),
        *_beside(CI_QUANTITIES, frozenset({"quick"})),
        *_estimated(frozenset({"quick"})),
        *_watched(),
        *counted,
    ]


def _sizes(backend: str, sizes: tuple[int, ...], batch: int) -> list[Trial]:
    """One network at many sizes: depth and batch stay."""
    widths = [widths_for(parameters) for parameters in sizes]
    return [Trial("mlp", {"widths": each, "batch": batch}, _COST, backend=backend) for each in widths]


def _estimated(also: frozenset[str] = frozenset()) -> list[Trial]:
    """Small, because random methods are called thousands of times: a linear loss, a layer's tangents, and
    steps in time, of which the last ones alone have a gradient of the wrong sign."""
    return [
        Trial("polynomial", {"size": 40, "degree": 1}, _LAW | also),
        Trial("mlp", {"widths": (6, 4, 3), "data": "synthetic", "batch": 4}, _RATE | also),
        Trial("influence_balancing", {"horizon": 8, "units": 4, "positive": 1}, _SHOWN | also),
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
            *PROBLEMS[name],
            _EVERY | _ORDER if (backend, dtype) == ("numpy", "float64") and name != "deep" else _EVERY,
            backend=backend,
            dtype=dtype,
        )
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _structured(chosen: Mapping[tuple[str, str], tuple[str, ...]]) -> list[Trial]:
    """The networks of `STRUCTURED`, for what does not depend on which network it is."""
    return [
        Trial(*STRUCTURED[name], _LAYERS, backend=backend, dtype=dtype)
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _beside(
    chosen: Mapping[tuple[str, str], tuple[str, ...]], also: frozenset[str] = frozenset()
) -> list[Trial]:
    """Tiny problems for what is computed beside the gradient."""
    return [
        Trial(*FIRST_AND_SECOND[name], _QUANTITIES | also, backend=backend, dtype=dtype)
        for (backend, dtype), names in chosen.items()
        if installed(backend)
        for name in names
    ]


def _on(*backends: str) -> list[str]:
    return [backend for backend in backends if installed(backend)]
