"""Convolution, attention and recurrence on torch: `backprop` beside torch.autograd on the same problem."""

from functools import partial
from typing import Any

from benchmarks.speed.bounds import Bound, print_bounds, shown
from gradmark.measuring import time as timing
from gradmark.parameters import size

PROBLEMS: dict[str, dict[str, Any]] = {
    "convnet": {"channels": (96, 192, 480), "activation": "relu", "batch": 64},
    "transformer": {"blocks": 5, "width": 128, "heads": 4, "positions": 64, "batch": 8},
    "rnn": {"length": 16, "hidden": 1000, "batch": 32},
    "lstm": {"length": 16, "hidden": 500, "batch": 32},
}
"""The arguments that make each about a million parameters."""
SECONDS = 30.0
"""Time given to each problem and dtype."""
_LIMITED = ("convnet", "transformer")
_SLOWER = 1.3


def print_tables() -> None:
    """One row for each problem and dtype, then what is met of the limit."""
    print("\nGradient on torch by torch.autograd, in times of `backprop`\n")
    print("| problem | dtype | P | backprop | autograd by backprop | backprop in forward passes |")
    print("|---|---|---|---|---|---|")
    bounds = []
    for name, arguments in PROBLEMS.items():
        for dtype in ("float32", "float64"):
            row, bound = _measured(name, dtype, arguments)
            print(row, flush=True)
            bounds.append(bound)
    print()
    limited = [bound for bound in bounds if bound.what.split()[0] in _LIMITED]
    print_bounds(f"convolution and attention: at most {_SLOWER} times the time of autograd", limited)


def _measured(name: str, dtype: str, arguments: dict[str, Any]) -> tuple[str, Bound]:
    import gradmark
    from gradmark.measuring.threads import pinned

    problem = gradmark.get_problem(name, backend="torch", dtype=dtype, **arguments)
    calls = {
        method: partial(gradmark.get_method(method).prepare(problem), problem.parameters)
        for method in ("backprop", "autograd")
    }
    calls["forward"] = partial(problem.plain_forward(), problem.parameters, problem.default_draw)
    with pinned(1):
        timings = timing.interleaved(calls, synchronize=lambda: None, budget=SECONDS)
    own = timings["backprop"]
    peer, passes = timing.time_ratio(timings["autograd"], own), timing.time_ratio(own, timings["forward"])
    row = (
        f"| {name} | {dtype} | {size(problem.parameters):,} | {own.median * 1e3:.1f} ms | "
        f"{shown(peer)} | {shown(passes)} |"
    )
    return row, Bound(f"{name} {dtype}", timing.time_ratio(own, timings["autograd"]), _SLOWER, at_least=False)
