"""The comparisons of the study of structure: what a gradient costs with the layers and without.

Networks of one depth and batch, and more and more parameters. Black-box methods need evaluations or tangent
passes for each weight, structured ones for each node, reverse mode one pass.
"""

from collections.abc import Iterable

from gradmark.arrays import installed
from gradmark.run.plan import Comparison, MethodCall
from problems.mlp import widths_for

_METHODS: dict[str, tuple[str, ...]] = {
    "numpy": (
        "central_difference", "weight_difference", "node_difference", "divided_difference",
        "tangent", "node_tangent", "backprop",
    ),
    "torch": (
        "central_difference", "weight_difference", "node_difference", "divided_difference",
        "jvp", "node_tangent", "backprop", "autograd",
    ),
}  # fmt: skip
_STRUCTURED = ("node_difference", "divided_difference", "node_tangent", "backprop")


def quick() -> list[Comparison]:
    """Under a minute: NumPy alone, in float64."""
    return [*_sizes("numpy", (300, 1_000, 3_000, 10_000), budget=6.0), *_structured("numpy", (100_000,), 6.0)]


def full() -> list[Comparison]:
    """Some minutes: torch as well."""
    numpy = _sizes("numpy", (300, 1_000, 3_000, 10_000, 30_000), budget=25.0)
    torch = _sizes("torch", (300, 1_000, 3_000, 10_000), budget=25.0)
    return [*numpy, *_structured("numpy", (100_000, 300_000), 20.0), *torch]


def _sizes(backend: str, sizes: Iterable[int], budget: float) -> list[Comparison]:
    return [_comparison(backend, size, _METHODS[backend], budget) for size in sizes if installed(backend)]


def _structured(backend: str, sizes: Iterable[int], budget: float) -> list[Comparison]:
    """Where methods without the layers would take minutes."""
    return [_comparison(backend, size, _STRUCTURED, budget) for size in sizes]


def _comparison(backend: str, size: int, names: Iterable[str], budget: float) -> Comparison:
    sizes = {"widths": widths_for(size), "activation": "tanh", "batch": 32}
    calls = tuple(MethodCall(name) for name in names)
    return Comparison(
        "structure", "mlp", sizes, calls, ("time", "work"), backend=backend, time_limit=240, budget=budget
    )
