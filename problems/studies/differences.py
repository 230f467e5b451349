"""The comparisons of the study of differences: error against the step and against P, in both dtypes.

One network of tanh layers on NumPy, whose loss is analytic, so that what a step costs in truncation can be
told from its derivatives.
"""

from collections.abc import Iterable

from gradmark.run.plan import Comparison, MethodCall
from problems.mlp import widths_for

_DTYPES = ("float64", "float32")
_SMALLEST = {"float64": -10, "float32": -6}
"""The power of ten of the smallest step: rounding is all that is left of most differences."""
_STEPPED: tuple[MethodCall, ...] = (
    MethodCall("forward_difference"),
    MethodCall("backward_difference"),
    MethodCall("central_difference"),
    MethodCall("stencil_difference", {"order": 4}),
    MethodCall("stencil_difference", {"order": 6}),
    MethodCall("richardson"),
    MethodCall("complex_step", {"check": False}),  # which would refuse steps that lose too much
    MethodCall("weight_difference"),
    MethodCall("node_difference"),
    MethodCall("divided_difference"),
)
_BLACK_BOX = ("forward_difference", "central_difference", "stencil_difference")
_STRUCTURED = ("weight_difference", "node_difference", "divided_difference")


def quick() -> list[Comparison]:
    """Under a minute."""
    return [*_steps(1_000, 2), *_sizes((300, 1_000, 3_000)), *_sizes((10_000,), _STRUCTURED)]


def full() -> list[Comparison]:
    """Some minutes: four steps for each power of ten, and more parameters."""
    return [*_steps(1_000, 4), *_sizes((300, 1_000, 3_000, 10_000, 30_000)), *_sizes((100_000,), _STRUCTURED)]


def _steps(size: int, each: int) -> list[Comparison]:
    """`each` steps for every power of ten up to 1."""
    return [
        _comparison(size, dtype, [
            MethodCall(call.name, {**call.hyper, "step": float(f"{10.0 ** (power / each):.3g}")})
            for call in _STEPPED
            for power in range(each * _SMALLEST[dtype], 1)
        ])
        for dtype in _DTYPES
    ]  # fmt: skip


def _sizes(sizes: Iterable[int], names: Iterable[str] = (*_BLACK_BOX, *_STRUCTURED)) -> list[Comparison]:
    """Each method with the step that it chooses itself."""
    calls = [MethodCall(name) for name in names]
    return [_comparison(size, dtype, calls) for size in sizes for dtype in _DTYPES]


def _comparison(size: int, dtype: str, calls: Iterable[MethodCall]) -> Comparison:
    sizes = {"widths": widths_for(size), "activation": "tanh", "batch": 32}
    return Comparison("differences", "mlp", sizes, tuple(calls), ("error",), dtype=dtype, time_limit=240)
