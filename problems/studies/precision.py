"""The comparisons of the study of precision: error and underflow by layer and depth, and what a format costs.

All on torch, where half precision is. A network of each depth is built in float64, float32, bfloat16 and
float16 for plain backprop; the methods with a float32 master copy take the float32 one. With sigmoid the
deltas shrink by a factor of about 0.236 a layer, so that float16 runs out of numbers after a dozen.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gradmark.run.plan import Comparison, MethodCall

_DTYPES = ("float64", "float32", "bfloat16", "float16")
_PLAIN = (MethodCall("backprop"),)
_BFLOAT16 = {"precision": "bfloat16", "loss_scale": "none"}


def _static(scale: float) -> MethodCall:
    return MethodCall("mixed_precision_backprop", {"loss_scale": "static", "scale": scale})


_MIXED = (
    MethodCall("mixed_precision_backprop", {"loss_scale": "none"}),
    _static(2.0**8),
    MethodCall("mixed_precision_backprop"),
    MethodCall("mixed_precision_backprop", {"scale": 2.0**32}),
    _static(2.0**24),
    MethodCall("mixed_precision_backprop", _BFLOAT16),
    MethodCall("torch_autocast"),
    MethodCall("torch_autocast", _BFLOAT16),
)
"""The dynamic scale starts at 2^16, as torch's does, and at 2^32, where it has to find its place first. A
static one of 2^24 is too much."""
_SCALES = tuple(2.0**power for power in range(0, 17, 2))


def quick() -> list[Comparison]:
    """Under a minute. Of two networks the first is mostly activations, the second mostly parameters."""
    return [
        *_depths((8, 16), "sigmoid", _DTYPES[1:], width=32, batch=16),
        *_depths((24,), "sigmoid", width=32, batch=16),
        *_law(depth=16, width=128, scales=_SCALES[::4]),
        *_costs((256, 256, 256, 256, 10), 1024),
        *_costs((256, 256, 256, 10), 16, "error"),
    ]


def full() -> list[Comparison]:
    """Some minutes: deeper, with tanh beside sigmoid, and more scales for the law of zeros."""
    return [
        *_depths((4, 8, 16, 24, 32, 40), "sigmoid", width=32, batch=32),
        *_depths((4, 8, 16, 32), "tanh", width=32, batch=32),
        *_law(depth=16, width=256, scales=_SCALES),
        *_costs((64, 64, 64, 64, 10), 16384),
        *_costs((256, 512, 512, 10), 16, "error"),
        *_costs((256, 1024, 1024, 1024, 10), 1024),
    ]


def _depths(
    depths: Iterable[int], activation: str, dtypes: Iterable[str] = _DTYPES, **size: int
) -> list[Comparison]:
    """The error of networks of so many hidden layers, and how the loss scale moved."""
    return [
        each
        for depth in depths
        for each in _in_every_format(
            "deep_mlp", {"depth": depth, "activation": activation, **size}, ("error", "work"), _MIXED, dtypes
        )
    ]


def _law(depth: int, width: int, scales: Iterable[float]) -> list[Comparison]:
    """One row, whose biases have the deltas themselves for gradients, at scales that are known."""
    sizes = {"depth": depth, "width": width, "batch": 1, "activation": "sigmoid"}
    return [_comparison("deep_mlp", sizes, "float32", [_static(each) for each in scales], ("error",))]


def _costs(widths: tuple[int, ...], batch: int, *quantities: Any) -> list[Comparison]:
    """Time and memory of a network in which nothing underflows, so that digits are what a format costs."""
    sizes = {"widths": widths, "data": "synthetic", "activation": "tanh", "batch": batch}
    return list(_in_every_format("mlp", sizes, ("time", "memory", "work", *quantities), _short()))


def _short() -> list[MethodCall]:
    """One scale is enough where it is not in question."""
    return [_MIXED[2], *_MIXED[5:]]


def _in_every_format(
    problem: str,
    sizes: Mapping[str, Any],
    quantities: Any,
    mixed: Iterable[MethodCall],
    dtypes: Iterable[str] = _DTYPES,
) -> Iterable[Comparison]:
    """Plain backprop in each dtype, and in float32 `mixed` beside it."""
    for dtype in dtypes:
        calls = [*_PLAIN, *mixed] if dtype == "float32" else _PLAIN
        yield _comparison(problem, sizes, dtype, calls, quantities)


def _comparison(
    problem: str, sizes: Mapping[str, Any], dtype: str, calls: Iterable[MethodCall], quantities: Any
) -> Comparison:
    return Comparison("precision", problem, sizes, tuple(calls), quantities, backend="torch", dtype=dtype)
