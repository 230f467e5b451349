"""Dense tanh networks: `backprop` beside every peer, by size, batch and dtype, with the limits it is held to.

The best backend of `backprop` is the one with the smallest median in the cell; peers are divided by it. With
many rows a gradient is bounded by how fast a library multiplies matrices, so the products of the network's
own layers are timed in the same cell.
"""

import math
from itertools import product

from benchmarks.speed.bounds import Bound, print_bounds, shown
from benchmarks.speed.cell import Cell, measured
from gradmark.measuring.interval import Interval

WIDTHS = {
    "1e3": (8, 18, 18, 18, 8),
    "1e4": (16, 64, 64, 64, 10),
    "1e5": (64, 200, 200, 200, 32),
    "1e6": (512, 512, 512, 512, 512),
}
BATCHES = (1, 32, 256)
DTYPES = ("float32", "float64")
PEERS = ("autograd", "func_grad", "compiled", "jax_grad", "hips_autograd")
SECONDS = 8.0
"""Time given to each cell."""
_SLOWER = 1.1
_MANY_TIMES = 4.0
_LARGE = {"float32": 2.2, "float64": 1.8}
_OF_THE_PRODUCTS = 0.9
_SHARE = 0.88


def print_tables() -> None:
    """One table for each dtype, then what is met of the limits."""
    for dtype in DTYPES:
        print(f"\nGradient of a dense tanh network, {dtype}: peers in times of the best `backprop`\n")
        print(f"| P | rows | backprop | time | {' | '.join(PEERS)} | passes | at most | of products |")
        print("|---" * (7 + len(PEERS)) + "|")
        cells = []
        for label, batch in product(WIDTHS, BATCHES):
            cells.append(measured(label, WIDTHS[label], batch, dtype, PEERS, SECONDS))
            print(_row(cells[-1]), flush=True)
        print()
        _print_limits(cells, dtype)


def _row(cell: Cell) -> str:
    peers = [shown(cell.over(peer)) if peer in cell.peers else "-" for peer in PEERS]
    bound = f"{cell.most_passes:.2f}" if _bounded(cell) else "-"
    return (
        f"| {cell.label} | {cell.batch} | {cell.best} | {cell.microseconds:.1f} us | {' | '.join(peers)} | "
        f"{shown(cell.passes)} | {bound} | {cell.share(cell.best).value:.0%} |"
    )


def _print_limits(cells: list[Cell], dtype: str) -> None:
    """Each limit over the cells that it is about."""
    beside = [
        Bound(f"P = {cell.label}, {cell.batch} rows, {peer}", cell.over(peer), 1 / _SLOWER)
        for cell in cells
        for peer in cell.peers
    ]
    print_bounds(f"never slower than {_SLOWER} times a peer ({dtype})", beside)
    small = [cell for cell in cells if cell.label == "1e3" and cell.batch <= 32]
    print_bounds(
        f"P = 1e3, up to 32 rows: {_MANY_TIMES:g} times as fast as autograd, no slower than jax_grad",
        [Bound(f"{cell.batch} rows, autograd", cell.over("autograd"), _MANY_TIMES) for cell in small]
        + [
            Bound(f"{cell.batch} rows, jax_grad", cell.over("jax_grad"), 1.0)
            for cell in small
            if cell.has_jax
        ],
    )
    large = [cell for cell in cells if cell.label == "1e6" and cell.batch == max(BATCHES)]
    print_bounds(
        f"P = 1e6, {max(BATCHES)} rows: {_LARGE[dtype]} times as fast as autograd, or {_OF_THE_PRODUCTS} of "
        f"what the backend's products are faster than torch's ({large[0].products_over_torch:.2f} times)",
        [Bound("autograd", cell.over("autograd"), _large_limit(cell, dtype)) for cell in large],
    )
    print_bounds(
        f"P = 1e6, {max(BATCHES)} rows: {_SHARE:.0%} of the rate of the backend's own products",
        [Bound(backend, cell.share(backend), _SHARE) for cell in large for backend in ("numpy", "torch")],
    )
    print_bounds(
        "P of at least 1e5, 32 rows or more: no more forward passes than the operations say",
        [
            Bound(f"P = {cell.label}, {cell.batch} rows, {cell.best}", cell.passes, cell.most_passes, False)
            for cell in cells
            if _bounded(cell)
        ],
    )
    print_bounds(
        "twice as fast as autograd in the geometric mean",
        [Bound("all cells", _geometric_mean([cell.over("autograd") for cell in cells]), 2.0)],
    )
    print(f"  - it is {shown(_geometric_mean([cell.over('autograd') for cell in cells]))} times as fast")


def _bounded(cell: Cell) -> bool:
    return cell.label in ("1e5", "1e6") and cell.batch >= 32


def _large_limit(cell: Cell, dtype: str) -> float:
    return min(_LARGE[dtype], _OF_THE_PRODUCTS * cell.products_over_torch)


def _geometric_mean(ratios: list[Interval]) -> Interval:
    """Of values and of limits: as wide as if all erred to one side."""

    def mean(numbers: list[float]) -> float:
        return math.exp(sum(map(math.log, numbers)) / len(numbers))

    return Interval(
        mean([each.value for each in ratios]),
        mean([each.low for each in ratios]),
        mean([each.high for each in ratios]),
    )
