"""Time against workers, in that of one worker, and how much of it is waiting for others."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.figure import Figure
from reports.run import Run
from reports.studies.parallel import workers
from reports.style import INK, grid, key, literal
from reports.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = [
    "case", "kind", "workers", "micro_batches", "title", "P", "dtype", "time", "ratio",
    "share", "share_low", "share_high", "compute", "communicate", "call",
]  # fmt: skip
_MOST_PANELS = 4


def cpus(run: Run) -> int | None:
    """How many CPUs the workers could use; None where the run does not say."""
    cores = run.environment.get("cores")
    return int(cores) if isinstance(cores, int | float) and cores >= 1 else None


def on(cores: int | None) -> str:
    """The CPUs in words."""
    return f"{cores} CPU{'s' if cores > 1 else ''}" if cores else "an unknown number of CPUs"


def timed(cases: pd.DataFrame) -> pd.DataFrame:
    """The parallel cases with a time and one worker's beside it; of several micro-batches the usual 4 K."""
    found = cases[cases["share"].notna() & (cases["kind"] != workers.ONE)]
    same = ["kind", "workers", "title", "sizes", "dtype"]
    usual = found["micro_batches"].isna() | (found["micro_batches"] == 4 * found["workers"])
    usual_first = found.assign(unusual=~usual).sort_values("unusual", kind="stable")
    return usual_first.drop_duplicates(same).sort_values(["order", "workers"], kind="stable")


def ideal(count: "np.ndarray | float", cores: int | None) -> "np.ndarray":
    """The least share of one worker's time: 1/K, as far as there are CPUs."""
    return 1 / np.minimum(count, cores or np.inf)


def build(cases: pd.DataFrame, cores: int | None) -> list[Table]:
    """One table, or none: methods downwards, problems to the right, each with time and waiting."""
    found = timed(cases)
    if found.empty:
        return []
    places = list(dict.fromkeys(zip(found["title"], found["dtype"], strict=True)))
    names = [workers.name(row) for row in found.to_dict("records")]
    by_name = {
        (name, row["title"], row["dtype"]): row
        for name, row in zip(names, found.to_dict("records"), strict=True)
    }
    columns, rows = ["method"], [[Cell(name)] for name in dict.fromkeys(names)]
    for place in places:
        columns += [f"{', '.join(place)}|{what}" for what in ("time", "waits")]
        for line in rows:
            row = by_name.get((line[0].text, *place))
            line += [NOTHING, NOTHING] if row is None else [share(row), waits(row)]
    caption = (
        f"Time: of a gradient, in that of backprop in one process and one thread, with its 95 % interval; "
        f"measured on {on(cores)}, so that it can hardly be less than 1/K for K up to as many, and no less "
        "beyond. Waits: the share of a call that the worker which computes longest spends waiting for the "
        "others and for numbers on their way. Pipelines take 4 K micro-batches."
    )
    return [Table("parallel-time", "Time against workers", caption, columns, rows, found[_COLUMNS])]


def share(row: dict[Any, Any]) -> Cell:
    """The time of a case in that of one worker, with its interval."""
    bracket = numbers.interval(row["share_low"], row["share_high"]) or "[one sample]"
    note = f"{numbers.si(row['time'], 's')} a gradient; 1/K is {numbers.three(1 / row['workers'])}"
    return Cell(numbers.three(row["share"]), bracket, row["case"], note, "number")


def waits(row: dict[Any, Any]) -> Cell:
    """The share of a call that is waiting."""
    waiting = row["communicate"] / row["call"]
    return NOTHING if pd.isna(waiting) else Cell(f"{100 * waiting:.0f} %", "", row["case"], kind="number")


def draw(cases: pd.DataFrame, cores: int | None) -> Figure | None:
    """A panel for each problem and dtype with several numbers of workers."""
    found = timed(cases)
    panels = [
        (place, own)
        for place, own in found.groupby(["title", "dtype"], sort=False)
        if own["workers"].nunique() > 1
    ][:_MOST_PANELS]
    if not panels:
        return None
    canvas, axes = grid(len(panels), height=3.2)
    for panel, (place, own) in zip(axes, panels, strict=True):
        panel.set_title(literal(", ".join(map(str, place))))
        _draw_panel(panel, own, cores)
    shown = pd.concat([own for _, own in panels])
    key(canvas, methods={kind: workers.LOOKS[kind] for kind in workers.LOOKS if kind in set(shown["kind"])},
        lines={"1/K, up to the number of CPUs": "--"})  # fmt: skip
    caption = (
        "Time of a gradient by K workers in that of backprop in one process and one thread, both on the "
        f"same machine in the same minutes; bars are 95 % intervals. Measured on {on(cores)}: dashed, the "
        "ideal, is 1/K and stops there, because more workers than CPUs take turns. Pipelines take 4 K "
        "micro-batches."
    )
    return Figure("parallel-time", "Time against workers", caption, canvas, shown[_COLUMNS])


def _draw_panel(axes: "Axes", own: pd.DataFrame, cores: int | None) -> None:
    counts = np.array([1.0, *sorted(set(own["workers"]))])
    fine = np.linspace(1, counts.max(), 200)
    axes.plot(fine, ideal(fine, cores), "--", color=INK, linewidth=1)
    axes.axhline(1, color="#bbbbbb", linewidth=0.8, zorder=0)
    for kind, line in own.groupby("kind", sort=False):
        _draw_line(axes, line.sort_values("workers"), "workers", str(kind), start=True)
    axes.set_xticks(counts, [f"{count:.0f}" for count in counts])
    axes.set_ylim(bottom=0)
    axes.set(xlabel="workers K", ylabel="time / time of one worker")


def _draw_line(axes: "Axes", line: pd.DataFrame, over: str, kind: str, *, start: bool) -> None:
    """Points with their intervals; `start`: from one worker, who takes 1."""
    look = workers.LOOKS[kind]
    at, heights = line[over].to_numpy(float), line["share"].to_numpy(float)
    bars = [heights - line["share_low"].to_numpy(float), line["share_high"].to_numpy(float) - heights]
    axes.errorbar(at, heights, yerr=np.clip(bars, 0, None), fmt="none", ecolor=look.colour, elinewidth=1)
    if start:
        axes.plot([1, at[0]], [1, heights[0]], color=look.colour, linewidth=1, alpha=0.5)
    axes.plot(at, heights, color=look.colour, marker=look.marker)


def draw_micro_batches(cases: pd.DataFrame, cores: int | None) -> Figure | None:
    """Pipelines of the same stages by how many micro-batches they take, beside the law of the bubble."""
    found = cases[cases["share"].notna() & cases["micro_batches"].notna()]
    groups = [
        (place, own)
        for place, own in found.groupby(["title", "dtype", "workers"], sort=False)
        if own["micro_batches"].nunique() > 2
    ][:_MOST_PANELS]
    if not groups:
        return None
    canvas, axes = grid(len(groups), height=3.2)
    for panel, (place, own) in zip(axes, groups, strict=True):
        for kind, line in own.groupby("kind", sort=False):
            _draw_line(panel, line.sort_values("micro_batches"), "micro_batches", str(kind), start=False)
        most, count = float(own["micro_batches"].max()), float(own["workers"].iloc[0])
        at = np.geomspace(1, most, 100)
        panel.plot(at, (at + count - 1) / (at * count), "--", color=INK, linewidth=1)
        ticks = sorted(set(own["micro_batches"]))
        panel.set_xscale("log", base=2)
        panel.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
        panel.set_ylim(bottom=0)
        panel.set(title=literal(f"{place[0]}, {place[1]}, K = {count:.0f}"), xlabel="micro-batches M")
        panel.set_ylabel("time / time of one worker")
    shown = pd.concat([own for _, own in groups])
    key(canvas, methods={kind: workers.LOOKS[kind] for kind in workers.LOOKS if kind in set(shown["kind"])},
        lines={"(M + K - 1) / (M K)": "--"})  # fmt: skip
    caption = (
        "Time of a gradient by a pipeline in that of backprop in one process. Dashed: the schedule alone, "
        "with stages that take equally long, messages that take no time, and micro-batches that are as fast "
        f"for each row as the whole batch. Measured on {on(cores)}."
    )
    return Figure("parallel-micro-batches", "Time against micro-batches", caption, canvas, shown[_COLUMNS])
