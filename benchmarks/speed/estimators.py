"""Random gradients by forward mode: their variance beside its formula, and what noise on activities saves."""

import math
from typing import Any

from benchmarks.speed.bounds import Bound, print_bounds
from benchmarks.speed.networks import network
from benchmarks.speed.timed import by_method
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval

_CALLS = {"forward_gradient": 6_000, "activity_perturbation": 1_500}
"""So many that the standard error of a variance is below two percent: the first has a long tail."""
_VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("forward_gradient", {"directions": 1, "law": "gaussian"}),
    ("forward_gradient", {"directions": 1, "law": "rademacher"}),
    ("forward_gradient", {"directions": 8, "law": "orthonormal"}),
    ("forward_gradient", {"directions": 8, "law": "gaussian", "antithetic": True}),
    ("activity_perturbation", {"directions": 1, "law": "gaussian"}),
    ("activity_perturbation", {"directions": 1, "law": "rademacher"}),
)
_WITHIN = 0.05
_LABEL = "1e3"
_LARGE = "1e4"


def print_tables() -> None:
    """Measured and predicted variance at P = 1e3, then the two kinds of noise at P = 1e4."""
    print(f"\nRelative variance E|g_hat - g|^2 / |g|^2 of one estimate, P = {_LABEL}, float64, 32 rows\n")
    print("| method | estimates | measured | standard error | predicted | measured by predicted |")
    print("|---|---|---|---|---|---|")
    bounds = []
    for name, hyper in _VARIANTS:
        calls = _CALLS[name]
        mean, error, predicted = _variance(_LABEL, name, hyper, calls)
        ratio = mean / predicted
        bounds.append(
            Bound(f"{name} {hyper}", _exactly(abs(ratio - 1) + 1.645 * error / predicted), _WITHIN, False)
        )
        words = ", ".join(f"{key}={value}" for key, value in hyper.items())
        print(
            f"| {name}({words}) | {calls} | {mean:.1f} | {error:.1f} | {predicted:.1f} | {ratio:.3f} |",
            flush=True,
        )
    print()
    print_bounds(f"variances within {_WITHIN:.0%} of their formulas, by an equivalence test at 5 %", bounds)
    _print_saving()


def _variance(label: str, name: str, hyper: dict[str, Any], calls: int) -> tuple[float, float, float]:
    """The mean over `calls` seeds of the relative squared error, its standard error, and the prediction."""
    import numpy as np

    import gradmark

    problem = network(label, "numpy", "float64")
    method = gradmark.get_method(name, **hyper)
    claimed, estimate = method.claims.exactness, method.prepare(problem)
    exact = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    exact = {key: np.array(array) for key, array in exact.items()}
    size = sum(float(np.sum(array**2)) for array in exact.values())
    found = []
    for seed in range(calls):
        answer = estimate(problem.parameters, seed).gradient
        found.append(sum(float(np.sum((answer[key] - exact[key]) ** 2)) for key in exact) / size)
    predicted = claimed.factor(problem, exact) / getattr(method, claimed.samples)
    return float(np.mean(found)), float(np.std(found)) / math.sqrt(calls), predicted


def _print_saving() -> None:
    """How much less variance activity perturbation has than weight perturbation, for how much more time."""
    from gradmark.measuring.threads import pinned

    problem, one = network(_LARGE, "numpy", "float64"), {"directions": 1}
    names = ("forward_gradient", "activity_perturbation")
    calls = {name: by_method(name, **one)(problem) for name in names}
    with pinned(1):
        times = timing.interleaved(calls, synchronize=lambda: None, budget=8.0)
    slower = timing.time_ratio(times[names[1]], times[names[0]])
    weight, activity = (_variance(_LARGE, name, one, 400) for name in names)
    less = Interval(
        weight[0] / activity[0],
        (weight[0] - 2 * weight[1]) / (activity[0] + 2 * activity[1]),
        (weight[0] + 2 * weight[1]) / (activity[0] - 2 * activity[1]),
    )
    print(f"- P = {_LARGE}: relative variance {weight[0]:.0f} by weights, {activity[0]:.1f} by activities")
    print_bounds(
        "activity perturbation beside weight perturbation, one direction, P = 1e4",
        [Bound("variance, times less", less, 40.0), Bound("time", slower, 1.2, at_least=False)],
    )


def _exactly(number: float) -> Interval:
    return Interval(number, number, number)
