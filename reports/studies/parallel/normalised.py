"""What batch normalisation does to gradients of shards: each is that of another network."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from reports import numbers, theory
from reports.cells import NOTHING
from reports.figure import Figure
from reports.studies.parallel import workers
from reports.style import grid
from reports.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Relative error of data_parallel_backprop with K workers. With batch normalisation each worker "
    "normalises by the mean and variance of its own rows, as is usual in practice: what they add up to is "
    "the gradient of another function. Without it the same network's gradient is right to rounding. K = 1 "
    "is backprop."
)
_COLUMNS = ["case", "title", "normalisation", "workers", "P", "rows", "dtype", "error"]


def local(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases by their own statistics, and one worker's on the same networks."""
    found = cases[cases["error"].notna() & (cases["normalisation"] == "batch")]
    return found[found["local"].astype(bool) | (found["kind"] == workers.ONE)]


def without(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases of the networks that `local` has, without their normalisation."""
    found = cases[cases["error"].notna() & (cases["normalisation"] == "none")]
    return found[found["kind"].isin([workers.ONE, workers.SHARDS])]


def build(cases: pd.DataFrame) -> list[Table]:
    """One table: networks downwards, workers to the right."""
    parts = {"batch normalisation": local(cases), "no normalisation": without(cases)}
    if not (parts["batch normalisation"]["kind"] == workers.SHARDS).any():
        return []
    every = pd.concat(parts.values())
    counts = sorted(set(every["workers"]))
    rows = []
    for what, part in parts.items():
        for (title, dtype), own in part.groupby(["title", "dtype"], sort=False):
            cells = {row["workers"]: _cell(row) for row in own.to_dict("records")}
            rows.append(
                [Cell(f"{title}, {what}", str(dtype)), *(cells.get(count, NOTHING) for count in counts)]
            )
    columns = ["network", *(f"error, K =|{count:.0f}" for count in counts)]
    title = "Batch normalisation by each worker's own rows"
    return [Table("parallel-normalised", title, _CAPTION, columns, rows, every[_COLUMNS])]


def _cell(row: dict[Any, Any]) -> Cell:
    return Cell(numbers.three(row["error"]), "", str(row["case"]), kind="number")


def draw(cases: pd.DataFrame) -> Figure | None:
    """The error with and without normalisation against the number of workers."""
    found, plain = local(cases), without(cases)
    found = found[found["kind"] == workers.SHARDS]
    plain = plain[plain["kind"] == workers.SHARDS]
    if found["workers"].nunique() < 2:
        return None
    canvas, axes = grid(1 if plain.empty else 2, height=3.0, share=False)
    _draw(
        axes[0],
        found,
        found["error"],
        "relative error |ĝ - g| / |g|",
        "each worker normalises by its own rows",
    )
    if not plain.empty:
        units = plain["error"] / plain["dtype"].map(lambda dtype: theory.epsilon(dtype) or 1.0)
        _draw(
            axes[1],
            plain,
            units,
            "relative error in units of rounding",
            "the same network without normalisation",
        )
    return Figure(
        "parallel-normalised", "Batch normalisation: error against workers", _CAPTION, canvas,
        pd.concat([found, plain])[_COLUMNS],
    )  # fmt: skip


def _draw(axes: "Axes", cases: pd.DataFrame, heights: pd.Series, what: str, title: str) -> None:
    """One line for each network, from zero."""
    look = workers.LOOKS[workers.SHARDS]
    for _, own in cases.groupby(["title", "dtype"], sort=False):
        ordered = own.sort_values("workers")
        axes.plot(ordered["workers"], heights[ordered.index], color=look.colour, marker=look.marker)
    counts = sorted(set(cases["workers"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [f"{count:.0f}" for count in counts])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 1.15 * float(heights.max()) or 1)
    axes.set(title=title, xlabel="workers K", ylabel=what)
