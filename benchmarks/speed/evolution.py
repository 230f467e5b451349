"""Evolution strategies beside the libraries and loops that people use, and beside inference of the same rows.

One estimate of a dense tanh network's gradient, 32 rows, float32: black boxes first, then what uses the
layers. Peers: evosax's ask, evaluate and tell, EvoTorch's functional pgpe where it is installed,
torch.func.vmap, a torch loop, and MeZO's loop (`by_hand`). Their losses are not ranked, which spares them
time. Memory is the peak of one call.
"""

import math

from benchmarks.speed.bounds import Bound, print_each, shown
from benchmarks.speed.estimated import BLACK_BOX, EVALUATIONS, ROWS, WIDTHS, Found, measured
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval

Cell = dict[str, Found]
Plain = dict[str, timing.Timing]
_FASTER = {
    "1e5": {"evosax_open_es jax": 20.0, "evotorch_pgpe torch": 20.0, "torch.func.vmap": 15.0},
    "1e6": {"evosax_open_es jax": 25.0, "torch loop": 4.5},
}
_INFERENCE, _LOOP, _MEMORY = 1.10, 4.0, 40.0
_COSINE, _ERROR = 0.4, 2e-4


def print_tables() -> None:
    """One table for each size, then each of the limits."""
    bounds = []
    for label in WIDTHS:
        print(f"\nOne estimate, P = {label}, {EVALUATIONS[label]} evaluations, {ROWS} rows, float32\n")
        cell, plain = measured(label)
        print_rows(label, cell, plain)
        bounds += limits(label, cell, plain)
    print()
    print_each(bounds)


def print_rows(label: str, cell: Cell, plain: Plain) -> None:
    """The ways, fastest first, in times of the best black box; then plain inference."""
    best = fastest(cell)
    columns = ("ms, median", "minimum", f"times `{best}`", "evaluations/s", "cosine", "its law", "peak MiB")
    print(f"| way | evaluations | {' | '.join(columns)} |")
    print("|---" * 9 + "|")
    for name in sorted(cell, key=lambda name: cell[name].timing.median):
        found, way = cell[name], cell[name].way
        law = "-" if math.isnan(way.law) else f"{way.law:.4f}"
        rate, held = way.evaluations / found.timing.median, found.bytes / 2**20
        times = _times(found.timing, cell[best].timing)
        print(
            f"| {name} | {way.evaluations} | {times} | {rate:.0f} | {_cosine(found)} | {law} | {held:.1f} |"
        )
    for name in sorted(plain, key=lambda name: plain[name].median):
        rate = EVALUATIONS[label] / plain[name].median
        row = _times(plain[name], cell[best].timing)
        print(f"| {name} | {EVALUATIONS[label]} | {row} | {rate:.0f} | - | - | - |", flush=True)


def fastest(cell: Cell) -> str:
    """The fastest of gradmark's own black boxes."""
    own = [name for name in cell if name.split()[0] in BLACK_BOX]
    return min(own, key=lambda name: cell[name].timing.median)


def limits(label: str, cell: Cell, plain: Plain) -> list[Bound]:
    """Those that hold at this size, as far as what they are about was measured."""
    best, at = cell[fastest(cell)], f"P = {label}: "
    found = [
        Bound(f"{at}times as fast as {name}", timing.time_ratio(cell[name].timing, best.timing), limit)
        for name, limit in _FASTER[label].items()
        if name in cell
    ]
    found += [
        Bound(f"{at}{name} in times of plain inference on {on}", ratio, _INFERENCE, at_least=False)
        for name, on, ratio in _beside_inference(cell, plain)
    ]
    if mezo := _best_of(cell, "mezo"):
        ratio = timing.time_ratio(cell["MeZO's loop"].timing, cell[mezo].timing)
        found.append(Bound(f"{at}{mezo}, times as fast as MeZO's loop", ratio, _LOOP))
    if label == "1e5":
        found += _at_a_hundred_thousand(cell, best)
    return found


def _at_a_hundred_thousand(cell: Cell, best: Found) -> list[Bound]:
    found = []
    if "evosax_open_es jax" in cell:
        ratio = _exactly(cell["evosax_open_es jax"].bytes / best.bytes)
        found.append(Bound(f"evosax's peak memory by that of {best.way.name}", ratio, _MEMORY))
    if node := cell.get("node_perturbation numpy"):
        what = f"cosine of node_perturbation, {node.way.evaluations} evaluations"
        found.append(Bound(what, node.cosine, _COSINE))
    if whole := cell.get("hadamard_node_es numpy"):
        what = f"relative error of hadamard_node_es in 1e-4, {whole.way.evaluations} evaluations"
        found.append(Bound(what, _exactly(whole.error * 1e4), _ERROR * 1e4, at_least=False))
    return found


def _beside_inference(cell: Cell, plain: Plain) -> list[tuple[str, str, Interval]]:
    """The fastest black box of each backend, and the fastest plain inference there."""
    found = []
    for backend in ("numpy", "torch"):
        ours = fastest({name: each for name, each in cell.items() if each.way.backend == backend})
        there = [name for name in plain if name.split()[1] == backend]
        least = min(there, key=lambda name: plain[name].median)
        found.append((ours, backend, timing.time_ratio(cell[ours].timing, plain[least])))
    return found


def _best_of(cell: Cell, name: str) -> str | None:
    """The faster of a method's backends."""
    there = [each for each in cell if each.split()[0] == name]
    return min(there, key=lambda each: cell[each].timing.median, default=None)


def _cosine(found: Found) -> str:
    """With half of its interval, which one seed alone does not have."""
    half = found.cosine.high - found.cosine.value
    digits = 4 if found.cosine.value < 0.999 else 9
    return f"{found.cosine.value:.{digits}f}" + (f" +- {half:.4f}" if 5e-5 < half < 1 else "")


def _times(found: timing.Timing, best: timing.Timing) -> str:
    least = min(found.seconds)
    return f"{found.median * 1e3:.2f} | {least * 1e3:.2f} | {shown(timing.time_ratio(found, best))}"


def _exactly(number: float) -> Interval:
    return Interval(number, number, number)
