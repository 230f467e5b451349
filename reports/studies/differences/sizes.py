"""Error against P at the steps that methods choose, beside the square root of P."""

import pandas as pd

from reports import numbers, theory
from reports.cells import NOTHING
from reports.figure import Figure
from reports.labels import End, label_ends
from reports.studies.differences.curves import LOOKS
from reports.style import Look, grid, log_log
from reports.table import Cell, Table

_CAPTION = (
    "Relative error of the whole gradient over P, each method with the step that it chooses. "
    "Dashed: the square "
    "root of P through the points of black-box methods, whose rounding e / h of each coordinate "
    "adds up while "
    "|g| stays. Squares: black-box; circles: structured methods, whose nodes average it."
)
_DATA = ["case", "label", "dtype", "P", "black_box", "error"]


def at_own_steps(found: pd.DataFrame) -> pd.DataFrame:
    """The cases without a step given, of the methods that have several sizes, by P."""
    own = found[found["step"].isna()].sort_values("P")
    return own[own.groupby(["label", "dtype"])["P"].transform("nunique") > 1]


def build(found: pd.DataFrame) -> list[Table]:
    """One table, or none with a single size."""
    own = at_own_steps(found)
    if own.empty:
        return []
    sizes = sorted(set(own["P"]))
    rows = [
        [Cell(str(label), "black box" if group["black_box"].iloc[0] else "structured"), Cell(str(dtype)),
         *(_cell(group[group["P"] == size]) for size in sizes)]
        for (label, dtype), group in own.groupby(["label", "dtype"], sort=False)
    ]  # fmt: skip
    columns = ["method", "dtype", *(f"relative error at P =|{numbers.count(size)}" for size in sizes)]
    return [Table("differences-sizes", "Error by P", _CAPTION, columns, rows, own[_DATA])]


def _cell(here: pd.DataFrame) -> Cell:
    if here.empty:
        return NOTHING
    return Cell(numbers.three(here["error"].iloc[0]), case=str(here["case"].iloc[0]), kind="number")


def draw(found: pd.DataFrame) -> Figure | None:
    """A panel for each dtype; None with a single size."""
    own = at_own_steps(found)
    if own.empty:
        return None
    dtypes = sorted(set(own["dtype"]), reverse=True)
    canvas, axes = grid(len(dtypes), columns=1, height=3.4, share=False)
    ends: dict[object, list[End]] = {}
    for panel, dtype in zip(axes, dtypes, strict=True):
        log_log(panel)
        panel.set(xlabel="parameters P", ylabel="relative error |ĝ - g| / |g|", title=dtype)
        ends[panel] = []
        for label, line in own[own["dtype"] == dtype].groupby("label", sort=False):
            name = str(label)
            look = LOOKS.get(name, Look("#555555", "o"))
            marker = "s" if line["black_box"].iloc[0] else "o"
            panel.plot(line["P"], line["error"], marker, color=look.colour)
            sizes, errors = line["P"].to_numpy(float), line["error"].to_numpy(float)
            if line["black_box"].iloc[0]:
                panel.plot(
                    sizes, theory.through(sizes, errors, 0.5, sizes), "--", color=look.colour, linewidth=1
                )
            else:
                panel.plot(sizes, errors, "-", color=look.colour, linewidth=0.7, alpha=0.6)
            ends[panel].append(End(float(sizes[-1]), float(errors[-1]), name, look.colour))
        panel.set_ylim(*(own.loc[own["dtype"] == dtype, "error"].agg(["min", "max"]) * [0.3, 3.0]))
    label_ends(canvas, ends)  # type: ignore[arg-type]
    return Figure("differences-sizes", "Error against P", _CAPTION, canvas, own[_DATA])
