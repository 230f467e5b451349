"""The trials that `gradmark validate` holds a method in: "full" is thorough, "ci" small and quick.

A stage of the judge takes the trials that carry its name among their roles.
"""

from gradmark.arrays import installed
from gradmark.judging.trial import Trial
from problems.mlp import widths_for

_LAW = frozenset({"sequential", "efficiency"})
_MEAN = frozenset({"sequential"})
_EVERY = frozenset({"contract", "accuracy", "invariance", "controls"})


def full() -> list[Trial]:
    """Every kind of problem, on every backend that is installed, in float64 and float32."""
    return [
        *(_network(backend, dtype) for backend in _backends() for dtype in ("float64", "float32")),
        *_estimated(),
        *(Trial("polynomial", {"size": 40, "degree": 1}, _LAW, backend="torch") for _ in _on("torch")),
        Trial("polynomial", {"size": 40, "degree": 1}, _MEAN, dtype="float32"),
        Trial("polynomial", {"size": 40, "degree": 2}, _MEAN),
        *(
            Trial("mlp", {"widths": widths_for(parameters), "batch": 32}, frozenset({"cost"}))
            for parameters in (300, 1_000, 3_000, 10_000, 30_000)
        ),
    ]


def ci() -> list[Trial]:
    """A few seconds for a method: small problems that cover backends and dtypes in pairs."""
    return [*(_network(backend, "float64") for backend in _backends()), *_estimated()]


def _estimated() -> list[Trial]:
    """Small, because random methods are called thousands of times: a linear loss, and a layer's tangents."""
    return [
        Trial("polynomial", {"size": 40, "degree": 1}, _LAW),
        Trial("mlp", {"widths": (6, 4), "data": "synthetic", "batch": 4}, _MEAN),
    ]


def _network(backend: str, dtype: str) -> Trial:
    sizes = {"widths": (64, 6, 10), "batch": 8}
    return Trial("mlp", sizes, _EVERY, backend=backend, dtype=dtype)


def _backends() -> list[str]:
    return _on("numpy", "torch", "jax")


def _on(*backends: str) -> list[str]:
    return [backend for backend in backends if installed(backend)]
