"""Gradients by finite differences: those that use a network's structure, and black boxes, with their errors.

`divided_difference` and `node_difference` move nodes, `weight_difference` single weights with what lies
before and beside them computed once. `loop` is how one would write central differences in NumPy: one
coordinate after the other. With ~ a time is scaled up from two hundred coordinates, whose error is shown.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.speed.bounds import Bound, print_bounds
from benchmarks.speed.networks import ROWS, WIDTHS, network
from benchmarks.speed.timed import Found, Way, by_method, duration, fastest, measured
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval

DTYPES = ("float64", "float32")
BOTH = ("numpy", "torch")
OURS = "divided_difference"
SCIPY = "scipy 3-point"
STRUCTURED = (OURS, "node_difference", "weight_difference")
BLACK_BOX = ("central_difference", "loop", SCIPY, "scipy 2-point", "scipy jacobian", "numdifftools")
SECONDS = {"1e2": 5.0, "1e3": 10.0, "1e4": 20.0, "1e5": 20.0, "1e6": 15.0}
BATCHES = (1, 32, 256)
_ROUNDING = 1.5
"""Times the error of torch.autograd."""
_IN_FLOAT64 = (
    Way("scipy jacobian", "numpy", by_method("scipy_jacobian"), most=1e3),
    Way("numdifftools", "numpy", by_method("numdifftools_gradient"), most=1e3),
)
"""Their error estimates are too small in float32, and they refuse it."""


def print_tables() -> None:
    """Times and errors for each dtype, what is met of the limits, and black boxes by batch."""
    for dtype in DTYPES:
        print(f"\nWhole gradient by differences, {dtype}, {ROWS} rows: time, and relative error\n")
        names = ("autograd", *STRUCTURED, *BLACK_BOX)
        print(f"| P | {' | '.join(names)} |")
        print("|---" * (1 + len(names)) + "|")
        cells = {}
        for label in WIDTHS:
            cells[label] = measured(label, dtype, _ways(dtype), SECONDS[label])
            print(f"| {label} | {' | '.join(_cell(cells[label], name) for name in names)} |", flush=True)
        print()
        _print_limits(cells, dtype)
    _print_beside_scipy()


def _ways(dtype: str) -> list[Way]:
    structured = [
        Way(f"{name} {backend}", backend, by_method(name), most=most)
        for name, most in ((OURS, 1e9), ("node_difference", 1e9), ("weight_difference", 1e5))
        for backend in BOTH
    ]
    return [
        Way("autograd", "torch", by_method("autograd")),
        *structured,
        Way("central_difference", "numpy", by_method("central_difference"), whole=1e4),
        Way("loop", "numpy", loop, whole=1e4),
        Way(SCIPY, "numpy", by_method("scipy_difference", scheme="3-point"), whole=1e4),
        Way("scipy 2-point", "numpy", by_method("scipy_difference", scheme="2-point"), whole=1e4),
        *(_IN_FLOAT64 if dtype == "float64" else ()),
    ]


def loop(problem: Any) -> Callable[[], Any]:
    """Central differences as one would write them: a coordinate is moved, the loss called, and moved back."""
    step = float(np.cbrt(problem.arrays.epsilon))

    def gradient() -> dict[str, Any]:
        point = {name: np.array(array) for name, array in problem.parameters.items()}
        found = {}
        for name, array in point.items():
            flat, slopes = array.reshape(-1), np.empty(array.size, array.dtype)
            h = step * float(np.sqrt(np.mean(flat**2)) or 1.0)
            for index, x in enumerate(flat.copy()):
                flat[index] = x + h
                right, above = problem.loss(point), flat[index]
                flat[index] = x - h
                slopes[index] = (right - problem.loss(point)) / (above - flat[index])
                flat[index] = x
            found[name] = slopes.reshape(array.shape)
        return found

    return gradient


def _cell(cell: dict[str, Found], name: str) -> str:
    if not any(each.startswith(name) for each in cell):
        return "-"
    found = cell[name] if name in cell else cell[fastest(cell, name)]
    return f"{'~' if found.scaled else ''}{duration(found.timing.median)}, {found.error:.0e}"


def _print_limits(cells: dict[str, dict[str, Found]], dtype: str) -> None:
    rounding = [
        Bound(f"P = {label}, {name}", _exactly(cell[name].error / cell["autograd"].error), _ROUNDING, False)
        for label, cell in cells.items()
        for name in cell
        if name.startswith(OURS)
    ]
    print_bounds(f"{OURS}: an error of at most {_ROUNDING} times that of torch.autograd ({dtype})", rounding)
    faster = [
        Bound(f"P = {label}", cells[label][SCIPY].over(cells[label][fastest(cells[label], OURS)]), limit)
        for label, limit in (("1e3", 180.0), ("1e4", 380.0))
    ]
    print_bounds(f"{OURS}: 180 and 380 times as fast as SciPy's three points at P = 1e3 and 1e4", faster)
    weights = [
        Bound(
            f"P = {label}",
            cells[label]["loop"].over(cells[label][fastest(cells[label], "weight_difference")]),
            7.0,
        )
        for label in ("1e3", "1e4", "1e5")
    ]
    print_bounds("weight_difference: 7 times as fast as a plain loop", weights)


def _print_beside_scipy() -> None:
    """Black-box central differences by size and batch, in SciPy's time."""
    bounds = []
    for dtype in DTYPES:
        for label in ("1e2", "1e3", "1e4"):
            for rows in BATCHES:
                ratio = _beside_scipy(label, dtype, rows)
                bounds.append(Bound(f"P = {label}, {rows} rows, {dtype}", ratio, 1.0))
                print(f"- SciPy's three points by central_difference, {bounds[-1].what}: {ratio.value:.2f}")
    print_bounds("central_difference: never slower than SciPy's three points", bounds)


def _beside_scipy(label: str, dtype: str, rows: int) -> Interval:
    from gradmark.measuring.threads import pinned

    problem = network(label, "numpy", dtype, rows)
    calls = {
        "ours": by_method("central_difference")(problem),
        "scipy": by_method("scipy_difference", scheme="3-point")(problem),
    }
    with pinned(1):
        times = timing.interleaved(calls, synchronize=lambda: None, budget=4.0 if label != "1e4" else 12.0)
    return timing.time_ratio(times["scipy"], times["ours"])


def _exactly(number: float) -> Interval:
    return Interval(number, number, number)
