"""Checkpointing in deep dense networks: time, peak memory, and whether not a bit of the gradient changes.

Peaks are of preparation and call together. By autograd and torch.utils.checkpoint they are compared with the
gradient in them, because its memory need not be its own; by backprop without it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.speed.bounds import Bound, print_bounds, shown
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval
from gradmark.measuring.time import Timing

WIDTH, BATCH, DTYPE = 256, 2048, "float32"
SECONDS = {64: 60.0, 256: 120.0}
"""Time given to each depth."""
_METHODS = (
    ("numpy", "backprop"),
    ("numpy", "checkpointed_backprop"),
    ("torch", "backprop"),
    ("torch", "checkpointed_backprop"),
    ("torch", "autograd"),
    ("torch", "torch_checkpoint"),
)


@dataclass(frozen=True)
class _Measured:
    timing: Timing
    peak: float
    """Bytes, the gradient's among them."""
    beside: float
    """The same without the gradient's."""


def print_tables() -> None:
    """A table for each depth, then what is met of the limits."""
    for depth in SECONDS:
        found, same = _measured(depth)
        print(f"\nDepth {depth}, width {WIDTH}, {BATCH} rows, {DTYPE}: about sqrt(L) segments\n")
        print("| method | time | by autograd | peak | by autograd | beside the gradient | by backprop |")
        print("|---|---|---|---|---|---|---|")
        plain = found["torch autograd"]
        for name, each in found.items():
            own = found[f"{name.split()[0]} backprop"]
            ratio = shown(_over(each, plain))
            print(
                f"| {name} | {each.timing.median * 1e3:.0f} ms | {ratio} | "
                f"{each.peak / 2**20:.1f} MiB | {each.peak / plain.peak:.3f} | "
                f"{each.beside / 2**20:.1f} MiB | {each.beside / own.beside:.3f} |"
            )
        print()
        _print_limits(depth, found, same)


def _print_limits(depth: int, found: dict[str, _Measured], same: dict[str, bool]) -> None:
    plain, bounds = found["torch autograd"], []
    for backend in ("numpy", "torch"):
        each, own = found[f"{backend} checkpointed_backprop"], found[f"{backend} backprop"]
        if depth == 64:
            bounds += [
                Bound(f"{backend}, time by autograd", _over(each, plain), 1.38, False),
                Bound(f"{backend}, peak by autograd", _exactly(each.peak / plain.peak), 0.40, False),
            ]
        else:
            limit = 2.3 / math.sqrt(depth)
            bounds += [
                Bound(f"{backend}, time by backprop", _over(each, own), 1.36, False),
                Bound(f"{backend}, beside, by backprop", _exactly(each.beside / own.beside), limit, False),
            ]
    smaller = found["torch checkpointed_backprop"].peak / found["torch torch_checkpoint"].peak
    bounds.append(Bound("peak by torch.utils.checkpoint", _exactly(smaller), 1.0, False))
    print_bounds(f"checkpointed_backprop at depth {depth}", bounds)
    for backend, equal in same.items():
        print(f"- the gradient on {backend} is {'' if equal else 'NOT '}bit for bit that of backprop")


def _over(one: _Measured, other: _Measured) -> Interval:
    return timing.time_ratio(one.timing, other.timing)


def _exactly(number: float) -> Interval:
    return Interval(number, number, number)


def _measured(depth: int) -> tuple[dict[str, _Measured], dict[str, bool]]:
    """Each method's time and peak, and for each backend whether checkpointing changes a bit."""
    import gradmark
    from gradmark.measuring.memory import peak_bytes
    from gradmark.measuring.threads import pinned

    problems = {backend: _problem(backend, depth) for backend in ("numpy", "torch")}
    calls: dict[str, Callable[[], object]] = {}
    peaks: dict[str, float] = {}
    gradient = sum(array.nbytes for array in problems["numpy"].parameters.values())

    def make(method: Any, problem: Any) -> Callable[[], object]:
        return partial(method.prepare(problem), problem.parameters)

    with pinned(1):
        for backend, name in _METHODS:
            method, problem = gradmark.get_method(name), problems[backend]
            calls[f"{backend} {name}"] = make(method, problem)
            calls[f"{backend} {name}"]()
            peak = peak_bytes(partial(make, method, problem), problem.arrays)
            peaks[f"{backend} {name}"] = peak.bytes
        same = {backend: _same(calls, backend) for backend in problems}
        timings = timing.interleaved(calls, synchronize=lambda: None, budget=SECONDS[depth])
    found = {name: _Measured(timings[name], peaks[name], peaks[name] - gradient) for name in calls}
    return found, same


def _same(calls: dict[str, Callable[[], Any]], backend: str) -> bool:
    from gradmark.arrays import to_numpy

    one = calls[f"{backend} backprop"]().gradient
    other = calls[f"{backend} checkpointed_backprop"]().gradient
    return all((to_numpy(array) == to_numpy(other[name])).all() for name, array in one.items())


def _problem(backend: str, depth: int) -> Any:
    import gradmark

    return gradmark.get_problem(
        "mlp",
        widths=(WIDTH,) * (depth + 1),
        data="synthetic",
        loss="mse",
        batch=BATCH,
        backend=backend,
        dtype=DTYPE,
    )
