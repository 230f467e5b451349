"""How many times a black-box method costs what a structured one does, at each P."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers, theory
from reports.cells import NOTHING
from reports.figure import Figure
from reports.labels import End, label_ends
from reports.studies.structure.growth import COLOURS
from reports.style import grid, literal, log_log
from reports.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAIRS: tuple[tuple[str, str], ...] = (
    ("central_difference", "weight_difference"), ("central_difference", "node_difference"),
    ("central_difference", "divided_difference"), ("tangent", "node_tangent"), ("jvp", "node_tangent"),
)  # fmt: skip
"""A method that moves every weight through the whole network, and one of the same family that uses layers."""
_CAPTION = (
    "Time of the first method over that of the second on the same network in one interleaved "
    "comparison, with "
    "an interval from those of both; below, the ratio of the counted passes. Nodes number as the square root "
    "of P, so that the ratio grows with the square root of P; weight differences make the same passes, each "
    "over the layers behind the weight alone."
)


def ratios(found: pd.DataFrame) -> pd.DataFrame:
    """A row for each pair, place and P: ``ratio`` (with ``_low`` and ``_high``) of times, ``passes``."""
    rows = []
    for (place, size), own in found[found["time"].notna()].groupby(["place", "P"], sort=False):
        by_name = own.drop_duplicates("name").set_index("name")
        for one, other in PAIRS:
            if {one, other} <= set(by_name.index):
                slow, fast = by_name.loc[one], by_name.loc[other]
                rows.append([
                    place, size, one, other, slow["time"] / fast["time"],
                    slow["time_low"] / fast["time_high"], slow["time_high"] / fast["time_low"],
                    slow["passes_of"] / fast["passes_of"], fast["case"],
                ])  # fmt: skip
    columns = ["place", "P", "black_box", "structured", "ratio", "ratio_low", "ratio_high", "passes", "case"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def build(found: pd.DataFrame) -> list[Table]:
    """One table: pairs downwards, P to the right."""
    data = ratios(found)
    if data.empty:
        return []
    sizes = sorted(set(data["P"]))
    columns = ["over every weight", "structured", "where", *(f"P =|{numbers.count(size)}" for size in sizes)]
    rows = [
        [
            Cell(str(one)),
            Cell(str(other)),
            Cell(str(place)),
            *(_cell(group[group["P"] == size]) for size in sizes),
        ]
        for (one, other, place), group in data.groupby(["black_box", "structured", "place"], sort=False)
    ]
    return [Table("structure-ratio", "What structure saves", _CAPTION, columns, rows, data)]


def _cell(here: pd.DataFrame) -> Cell:
    if here.empty:
        return NOTHING
    row = here.iloc[0]
    below = f"{numbers.interval(row['ratio_low'], row['ratio_high'])}\npasses {numbers.three(row['passes'])}"
    return Cell(numbers.three(row["ratio"]), below.strip(), row["case"], kind="number")


def draw(found: pd.DataFrame) -> Figure | None:
    """The ratios over P, a panel for each place; None where there are none."""
    data = ratios(found)
    places = list(dict.fromkeys(data["place"]))
    if not places:
        return None
    canvas, axes = grid(len(places), columns=1, height=3.6, share=False)
    ends: dict[Axes, list[End]] = {panel: [] for panel in axes}
    for panel, place in zip(axes, places, strict=True):
        log_log(panel)
        own = data[data["place"] == place]
        for (one, other), line in own.groupby(["black_box", "structured"], sort=False):
            ends[panel].append(_line(panel, line, f"{one} / {other}", COLOURS[str(other)]))
        panel.axhline(1, color="#bbbbbb", linewidth=0.8)
        panel.set(xlabel="parameters P", ylabel="time of one / time of the other", title=literal(str(place)))
    label_ends(canvas, ends)
    caption = (
        "As in the table; bars are the intervals. Dashed: the square root of P through the two largest, "
        "where fixed costs for each call matter least; thin: joined, where theory has no power of P."
    )
    return Figure("structure-ratio", "Black box over structured", caption, canvas, data)


def _line(axes: "Axes", line: pd.DataFrame, name: str, colour: str) -> End:
    sizes, at = line["P"].to_numpy(float), line["ratio"].to_numpy(float)
    bars = np.nan_to_num(np.clip([at - line["ratio_low"], line["ratio_high"] - at], 0, None))
    axes.errorbar(sizes, at, yerr=bars, fmt="o", color=colour, elinewidth=1)
    if name.endswith("weight_difference"):
        axes.plot(sizes, at, color=colour, linewidth=0.7)
    else:
        theirs = theory.through(sizes[-2:], at[-2:], 0.5, sizes)
        axes.plot(sizes, theirs, "--", color=colour, linewidth=0.9)
    return End(float(sizes[-1]), float(at[-1]), name, colour)
