"""The comparisons of the study of variance: random forward gradients by law and number of directions.

Errors over many seeds, beside what the formula of each law says at the problem.
"""

from collections.abc import Iterable

from gradmark.run.plan import Comparison, MethodCall
from problems.mlp import widths_for

_LAWS: tuple[MethodCall, ...] = (
    MethodCall("forward_gradient", {"law": "gaussian"}),
    MethodCall("forward_gradient", {"law": "rademacher"}),
    MethodCall("forward_gradient", {"law": "orthonormal"}),
    MethodCall("forward_gradient", {"law": "gaussian", "antithetic": True}),
    MethodCall("activity_perturbation", {"law": "gaussian"}),
    MethodCall("activity_perturbation", {"law": "rademacher"}),
)


def quick() -> list[Comparison]:
    """Under a minute: one network, 100 seeds."""
    return _directions(1_000, (2, 16, 128), repetitions=100)


def full() -> list[Comparison]:
    """Some minutes: a larger network beside it, and enough seeds to know a variance to some percent."""
    return [
        *_directions(1_000, (2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024), repetitions=1_000),
        *_directions(10_000, (2, 8, 32, 128, 512), repetitions=400),
    ]


def _directions(size: int, counts: Iterable[int], repetitions: int) -> list[Comparison]:
    sizes = {"widths": widths_for(size), "activation": "tanh", "batch": 32}
    calls = tuple(
        MethodCall(call.name, {**call.hyper, "directions": count}) for count in counts for call in _LAWS
    )
    return [
        Comparison(
            "variance", "mlp", sizes, calls, ("error", "work"), repetitions=repetitions, time_limit=300
        )
    ]
