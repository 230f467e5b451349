"""Exact gradients by forward mode: one tangent for each node, beside what people use and beside reverse mode.

The peers take one tangent for each parameter: torch.func.jacfwd (all at once), torch.func.jvp under vmap in
chunks (the method `jvp`), torch's dual numbers one by one (`forward_ad`), jax.jit(jax.jacfwd), and jax.jvp in
chunks (`jax_jvp`). With ~ a time is scaled up from two hundred coordinates.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.speed.bounds import Bound, print_bounds
from benchmarks.speed.networks import WIDTHS, network
from benchmarks.speed.timed import Found, Way, by_method, duration, fastest, measured
from gradmark.measuring.interval import Interval

DTYPES = ("float64", "float32")
OURS = "node_tangent"
TORCH, JAX = ("jacfwd", "jvp", "forward_ad"), ("jax.jacfwd", "jax_jvp")
SECONDS = {"1e2": 4.0, "1e3": 6.0, "1e4": 25.0, "1e5": 12.0, "1e6": 20.0}
_SHOWN = ("autograd", *TORCH, *JAX)
_MORE = 300
"""How many times as much memory jacfwd takes, at the least."""


def print_tables() -> None:
    """One table for each dtype, what is met of the limits, and the memory."""
    for dtype in DTYPES:
        print(f"\nWhole gradient by forward mode, {dtype}, 32 rows: others in times of `{OURS}`\n")
        print(f"| P | on | {OURS} | {' | '.join(_SHOWN)} | error | error of autograd |")
        print("|---" * (5 + len(_SHOWN)) + "|")
        cells = {}
        for label in WIDTHS:
            cells[label] = measured(label, dtype, _ways(), SECONDS[label])
            print(_row(label, cells[label]), flush=True)
        print()
        _print_limits(cells, dtype)
    _print_memory()


def _ways() -> list[Way]:
    return [
        *(Way(f"{OURS} {backend}", backend, by_method(OURS)) for backend in ("numpy", "torch")),
        Way("autograd", "torch", by_method("autograd")),
        Way("jacfwd", "torch", _jacfwd, most=1e4),
        Way("jvp", "torch", by_method("jvp"), whole=1e4),
        Way("forward_ad", "torch", by_method("forward_ad"), whole=1e3),
        Way("jax.jacfwd", "jax", _jax_jacfwd, most=1e4),
        Way("jax_jvp", "jax", by_method("jax_jvp"), whole=1e4),
    ]


def _jacfwd(problem: Any) -> Callable[[], Any]:
    """torch's own whole gradient by forward mode: all directions at once."""
    import torch.func

    function: Any = torch.func.jacfwd(lambda parameters: problem.loss(parameters, problem.default_draw))
    return lambda: function(problem.parameters)


def _jax_jacfwd(problem: Any) -> Callable[[], Any]:
    """The same of JAX, compiled; the draw is an argument, so that no data is compiled in."""
    import jax

    from gradmark.draw import Draw

    compiled = jax.jit(jax.jacfwd(lambda parameters, arrays: problem.loss(parameters, Draw(arrays))))
    arrays = dict(problem.default_draw.arrays)
    ready: Any = jax.block_until_ready
    return lambda: ready(compiled(dict(problem.parameters), arrays))


def _row(label: str, cell: dict[str, Found]) -> str:
    best = fastest(cell, OURS)
    ours = cell[best]
    others = [_times(cell[name], ours) if name in cell else "-" for name in _SHOWN]
    place, took = best.removeprefix(OURS).strip(), duration(ours.timing.median)
    errors = f"{ours.error:.1e} | {cell['autograd'].error:.1e}"
    return f"| {label} | {place} | {took} | {' | '.join(others)} | {errors} |"


def _times(found: Found, ours: Found) -> str:
    """The ratio; of what takes long, the time too."""
    ratio = f"{'~' if found.scaled else ''}{found.over(ours).value:.3g}"
    return f"{ratio} ({duration(found.timing.median)})" if found.timing.median > 1 else ratio


def _print_limits(cells: dict[str, dict[str, Found]], dtype: str) -> None:
    wanted: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {}
    wanted["torch"] = (TORCH, {"1e3": 100 if dtype == "float64" else 65, "1e4": 400})
    wanted["JAX"] = (JAX, {"1e3": 30 if dtype == "float64" else 29, "1e4": 120})
    for library, (names, limits) in wanted.items():
        bounds = [
            Bound(
                f"P = {label}, {name}",
                cells[label][name].over(cells[label][fastest(cells[label], OURS)]),
                limit,
            )
            for label, limit in limits.items()
            for name in names
            if name in cells[label]
        ]
        print_bounds(f"times as fast as any forward mode of {library} ({dtype})", bounds)
    reverse = [
        Bound(f"P = {label}", cell["autograd"].over(cell[fastest(cell, OURS)]), 1.0)
        for label, cell in cells.items()
        if float(label) <= 1e3
    ]
    print_bounds("no slower than reverse mode by torch.autograd up to P = 1e3", reverse)
    large = cells["1e6"][fastest(cells["1e6"], OURS)].over(cells["1e6"]["autograd"])
    print_bounds(
        "P = 1e6 in at most 45 times torch.autograd", [Bound("P = 1e6", large, 45.0, at_least=False)]
    )


def _print_memory() -> None:
    """The peaks at P = 1e4 in float64."""
    from gradmark.measuring.memory import peak_bytes
    from gradmark.measuring.threads import pinned

    problem, peaks = network("1e4", "torch", "float64"), {}
    with pinned(1):
        for name, make in ((OURS, by_method(OURS)), ("jacfwd", _jacfwd), ("jvp", by_method("jvp"))):
            make(problem)()
            peaks[name] = peak_bytes(lambda make=make: make(problem), problem.arrays).bytes  # type: ignore[misc]
    listed = ", ".join(f"{name} {held / 2**20:.1f} MiB" for name, held in peaks.items())
    print(f"\nMemory at P = 1e4, float64: {listed}\n")
    ratio = peaks["jacfwd"] / peaks[OURS]
    print_bounds(f"1/{_MORE} of jacfwd's memory", [Bound("jacfwd", Interval(ratio, ratio, ratio), _MORE)])
