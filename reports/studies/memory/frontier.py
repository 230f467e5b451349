"""What memory costs in time at one depth: all segments and numbers of states, measured and predicted."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.figure import Figure
from reports.labels import End, name_points
from reports.studies.memory import theory
from reports.studies.memory.cases import LOOKS, NONE, REVOLVE, UNIFORM, alike, words
from reports.studies.memory.ticks import at, in_bytes
from reports.style import grid, key, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Each point is one method, or one choice of segments (k) or of stored states (s), at L = {steps}: its "
    "peak memory beside the gradient against the forward passes that were counted (left), and against its "
    "time in that of backprop on the same network, measured in one interleaved comparison (right; bars: 95 %"
    " intervals). Lines: the formulas, with no number fitted. With uniform segments k - 1 + ceil(L/k) states"
    " are held and L - ceil(L/k) - (k - 1) of L steps run again, as much with L/k segments as with k; "
    "revolve runs least again for the states that it stores. Two deltas are held beside these, and as much "
    "of the gradient as is there, in one buffer. The time is predicted by the operations of matrix products "
    "alone: (3 - f + R) / (3 - f) for R forward passes run again, f = 1/L; reading and writing units and "
    "activations comes on top."
)
_DATA = [
    "case", "kind", "label", "steps", "width", "rows", "dtype", "beside", "held", "forward", "recomputed",
    "first_layer_share", "time", "relative", "relative_low", "relative_high",
]  # fmt: skip
_TICKS = (1, 1.2, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30)
FEWEST = 3
"""Points that make a frontier."""


def at_one_depth(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases at the depth with most of them, with ``relative``: the time in that of backprop there."""
    equal = alike(cases)
    equal = equal[equal["beside"].notna() & equal["forward"].notna()]
    if equal.empty:
        return equal.assign(relative=[], relative_low=[], relative_high=[])
    counts = equal.groupby("steps")["case"].count()
    here = equal[equal["steps"] == counts.index[counts == counts.max()].max()]
    base = here[here["kind"] == NONE].drop_duplicates("problem").set_index("problem")["ratio"]
    divisor = here["problem"].map(base).astype(float)
    ends = {f"relative{end}": here[f"ratio{end}"] / divisor for end in ("", "_low", "_high")}
    found: pd.DataFrame = here.assign(**ends)
    return found


def draw(cases: pd.DataFrame) -> Figure | None:
    """Two panels over forward passes and time, or None where there is too little to compare."""
    here = at_one_depth(cases)
    # Backprop on the reversible network is the unit of its time, and another network's memory.
    here = here[~((here["problem"] == "reversible_mlp") & (here["kind"] == NONE))]
    if len(here) < FEWEST:
        return None
    canvas, axes = grid(2, height=4.6)
    titles = ("counted", "timed")
    names = {"forward": "forward passes", "relative": "time, in that of backprop"}
    for panel, (column, name), title in zip(axes, names.items(), titles, strict=True):
        at(panel, [])
        in_bytes(panel)
        panel.set(xlabel=name, ylabel="peak memory beside the gradient (B)", title=literal(title))
        _draw_theory(panel, here, column)
        _draw_points(panel, here[here[column].notna()], column)
        low, high = panel.get_xlim()
        at(panel, [tick for tick in _TICKS if low <= tick <= high])
    kinds = {kind: look for kind, look in LOOKS.items() if (here["kind"] == kind).any()}
    key(canvas, methods=kinds, lines={"predicted": "-"})
    columns = dict(zip(axes, names, strict=True))
    name_points(
        canvas, {panel: _names(here[here[column].notna()], column) for panel, column in columns.items()}
    )
    steps = here["steps"].iloc[0]
    title = f"Memory against recomputation at L = {steps:.0f}: {words(here)}"
    return Figure("memory-frontier", title, _CAPTION.format(steps=f"{steps:.0f}"), canvas, here[_DATA])


def curve(steps: int, kind: str, width: int, rows: int) -> list[tuple[float, float]]:
    """(states held beside the gradient, recomputed) of all choices.

    These are all numbers of segments to that which holds the fewest states, or all numbers of states from 2.
    """
    if kind == UNIFORM:
        return [
            (theory.uniform_beside(steps, number, width, rows), theory.uniform(steps, number)[1])
            for number in range(1, theory.segments_of(steps) + 1)
        ]
    return [
        (theory.with_states_beside(steps, number, width, rows), theory.with_states(steps, number)[1])
        for number in range(2, steps + 1)
    ]


def _draw_theory(axes: "Axes", here: pd.DataFrame, column: str) -> None:
    first, share = here.iloc[0], here["first_layer_share"].min()
    for kind in (UNIFORM, REVOLVE):
        if not (here["kind"] == kind).any():
            continue
        equal = (int(first[name]) for name in ("width", "rows"))
        points = sorted(curve(int(first["steps"]), kind, *equal), key=lambda point: point[1])
        held = np.array([states for states, _ in points]) * first["state_bytes"]
        across = [1 + again if column == "forward" else theory.time(again, share) for _, again in points]
        axes.plot(across, held, color=LOOKS[kind].colour, linewidth=1, alpha=0.8, zorder=1)


def _draw_points(axes: "Axes", here: pd.DataFrame, column: str) -> None:
    """The points, and the intervals of times, which may reach beyond the panel."""
    for row in here.to_dict("records"):
        look = LOOKS[row["kind"]]
        axes.plot(row[column], row["beside"], look.marker, color=look.colour, zorder=3)
    axes.margins(x=0.12, y=0.12)
    low, high = axes.get_xlim()
    known = here[np.isfinite(here["relative_low"]) & np.isfinite(here["relative_high"])]
    for row in known.to_dict("records") if column == "relative" else ():
        colour = LOOKS[row["kind"]].colour
        axes.hlines(row["beside"], row["relative_low"], row["relative_high"], color=colour, linewidth=1)
    axes.set_xlim(low, high)


def _names(here: pd.DataFrame, column: str) -> list[End]:
    points = zip(here[column], here["beside"], here["kind"], here["label"], strict=True)
    return [
        End(across, up, label.rpartition(", ")[2] if kind in (UNIFORM, REVOLVE) else "", LOOKS[kind].colour)
        for across, up, kind, label in points
    ]
