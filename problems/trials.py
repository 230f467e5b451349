"""The trials that `gradmark validate` holds a method in: "full" is thorough, "ci" small and quick.

A stage of the judge takes the trials that carry its name among their roles.
"""

from gradmark.arrays import installed
from gradmark.judging.trial import Trial
from problems.mlp import widths_for

_EVERY = frozenset({"contract", "accuracy", "invariance", "controls"})


def full() -> list[Trial]:
    """Every kind of problem, on every backend that is installed, in float64 and float32."""
    return [
        *(_network(backend, dtype) for backend in _backends() for dtype in ("float64", "float32")),
        *(
            Trial("mlp", {"widths": widths_for(parameters), "batch": 32}, frozenset({"cost"}))
            for parameters in (300, 1_000, 3_000, 10_000, 30_000)
        ),
    ]


def ci() -> list[Trial]:
    """A few seconds for a method: small problems that cover backends and dtypes in pairs."""
    return [_network(backend, "float64") for backend in _backends()]


def _network(backend: str, dtype: str) -> Trial:
    sizes = {"widths": (64, 6, 10), "batch": 8}
    return Trial("mlp", sizes, _EVERY, backend=backend, dtype=dtype)


def _backends() -> list[str]:
    return [backend for backend in ("numpy", "torch", "jax") if installed(backend)]
