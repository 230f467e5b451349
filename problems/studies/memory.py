"""The comparisons of the study of memory: what is kept by activation and depth, and what recomputation costs.

All on torch in float32, so that hand-derived methods and torch's own stand side by side.
"""

from collections.abc import Iterable
from typing import Any

from gradmark.run.plan import Comparison, MethodCall
from problems.layers.nonlinearities import NONLINEARITIES

_KEPT = ("backprop", "autograd")
_RECOMPUTING = (*_KEPT, "checkpointed_backprop", "torch_checkpoint")
_FEW_STATES = 4
_NETWORK = {"widths": (256, 512, 512, 512, 10), "data": "synthetic"}
_BATCH = 1024
_BY_STRUCTURE: dict[str, dict[str, Any]] = {
    "convnet": {"channels": (32, 64), "hidden": (128,), "batch": 256},
    "transformer": {"blocks": 2, "width": 64, "positions": 32, "batch": 32},
    "lstm": {"batch": 256},
}
_PERCEPTRONS = ((784, 256, 10), (784, 1000, 1000, 10), (256,) * 21)


def quick() -> list[Comparison]:
    """Under a minute."""
    return [
        *_activations(("tanh", "relu", "gelu", "silu", "sigmoid")),
        *_batches((4 * _BATCH,)),
        *_structures(),
        *_flops(_PERCEPTRONS),
        *_depths((4, 16), width=128, batch=1024),
        *_frontier(64, (2, 4, 16, 32), (2, 3, 6, 16, 32), width=128, batch=1024, budget=12),
    ]


def full() -> list[Comparison]:
    """Some minutes: larger networks, to depth 256, and the frontier point by point."""
    size = {"width": 256, "batch": 1024}
    return [
        *_activations(name for name in NONLINEARITIES if name != "identity"),
        *_batches((256, 4 * _BATCH)),
        *_structures(),
        *_flops(_PERCEPTRONS),
        *_depths((4, 8, 16, 32), **size),
        *_frontier(64, (2, 4, 16, 32), (2, 3, 5, 8, 11, 16, 32), **size, budget=40),
        *_depths((128, 256), **size),
    ]


def _comparison(problem: str, sizes: dict[str, Any], methods: Iterable[str | MethodCall], *quantities: Any,
                **more: Any) -> Comparison:  # fmt: skip
    calls = tuple(MethodCall(each) if isinstance(each, str) else each for each in methods)
    place = {"backend": "torch", "dtype": "float32", **more}
    return Comparison("memory", problem, sizes, calls, quantities, **place)


def _activations(names: Iterable[str]) -> list[Comparison]:
    """What a hidden layer of each activation keeps."""
    return [
        _comparison("mlp", _NETWORK | {"activation": name, "batch": _BATCH}, _KEPT, "memory")
        for name in names
    ]


def _batches(sizes: Iterable[int]) -> list[Comparison]:
    """The first of these networks with other numbers of rows."""
    return [
        _comparison("mlp", _NETWORK | {"activation": "tanh", "batch": size}, _KEPT, "memory")
        for size in sizes
    ]


def _structures() -> list[Comparison]:
    """Networks that are no perceptrons, layer by layer."""
    return [_comparison(name, sizes, _RECOMPUTING, "memory", "work") for name, sizes in _BY_STRUCTURE.items()]


def _flops(widths: Iterable[tuple[int, ...]]) -> list[Comparison]:
    """Perceptrons whose first layer is anything between most and little of the work."""
    return [
        _comparison(
            "mlp",
            {"widths": each, "data": "synthetic", "activation": "relu", "batch": 256},
            ("backprop", "checkpointed_backprop"),
            "work",
        )
        for each in widths
    ]


def _depths(depths: Iterable[int], *, width: int, batch: int) -> list[Comparison]:
    """Networks of so many equal steps: dense layers, and coupling blocks between two of them."""
    return [
        each
        for depth in depths
        for each in (
            _comparison("deep_mlp", _deep(depth, width, batch), _by_depth(), "memory", "work"),
            _comparison(
                "reversible_mlp", _reversible(depth, width, batch), ("reversible_backprop",), "memory", "work"
            ),
        )
    ]


def _frontier(
    depth: int, segments: Iterable[int], states: Iterable[int], *, width: int, batch: int, budget: float
) -> list[Comparison]:
    """The same at one depth, with time, and with more segments and numbers of stored states.

    Interleaved timing takes `budget` seconds, so that the ratios have intervals.
    """
    calls = [
        *_by_depth(),
        *(MethodCall("checkpointed_backprop", {"segments": number}) for number in segments),
        *(_revolve(number) for number in states),
    ]
    both = (
        ("deep_mlp", _deep(depth, width, batch), calls, budget),
        ("reversible_mlp", _reversible(depth, width, batch), ["backprop", "reversible_backprop"], budget / 2),
    )
    return [
        _comparison(problem, sizes, methods, "time", "memory", "work", budget=seconds)
        for problem, sizes, methods, seconds in both
    ]


def _by_depth() -> list[str | MethodCall]:
    return [*_RECOMPUTING, _revolve(_FEW_STATES)]


def _revolve(states: int) -> MethodCall:
    return MethodCall("checkpointed_backprop", {"schedule": "revolve", "states": states})


def _deep(depth: int, width: int, batch: int) -> dict[str, Any]:
    return {"depth": depth - 1, **_square(width, batch)}


def _reversible(depth: int, width: int, batch: int) -> dict[str, Any]:
    """With a gain at which the inputs come back with most of their digits, however many blocks there are."""
    return {"blocks": depth - 2, "gain": 0.1, **_square(width, batch)}


def _square(width: int, batch: int) -> dict[str, Any]:
    """All layers alike: as many inputs and outputs as units in each."""
    return {"width": width, "inputs": width, "outputs": width, "data": "synthetic", "batch": batch}
