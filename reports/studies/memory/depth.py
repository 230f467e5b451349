"""Peak memory against depth."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.figure import Figure
from reports.labels import End, label_ends
from reports.studies.memory.by_depth import SLOPES, series
from reports.studies.memory.cases import LOOKS, NONE, REVERSIBLE, UNIFORM, words
from reports.studies.memory.ticks import at, in_bytes
from reports.style import grid, key, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Peak memory of one gradient, less the gradient's own bytes, against the number L of equal layers. "
    "Solid: measured. Dotted: the formula of backprop (all states and three more) and of checkpointing "
    "(what is needed at once) in buffers; no number in it is fitted. Dashed: the slopes 1, 1/2 and 0 of "
    "theory for large L, through the last points of backprop, of checkpointing in √L segments and of "
    "reversible backprop; where L is small, the deltas beside the states bend the lines. s: the states that "
    "revolve stores at most. The reversible network has blocks instead of layers, of the same width."
)
_GUIDES = (NONE, UNIFORM, REVERSIBLE)
"""The kinds through whose last points a slope is drawn: one of each slope."""
_DATA = ["case", "kind", "label", "steps", "width", "rows", "dtype", "beside", "formula"]


def draw(cases: pd.DataFrame) -> Figure | None:
    """One panel, or None where there are not several depths."""
    found = series(cases)
    if not found:
        return None
    every = pd.concat(found)
    canvas, (panel,) = grid(1, height=4.4)
    panel.set(xlabel="number of layers L", ylabel="peak memory beside the gradient (B)")
    panel.set_title(literal(words(every)))
    at(panel, sorted(set(every["steps"])))
    in_bytes(panel)
    ends = [_draw_method(panel, group) for group in found]
    key(canvas, lines={"measured": "-", "slope 1, 1/2 or 0": "--", "formula": ":"})
    label_ends(canvas, {panel: ends})
    return Figure("memory-depth", "Peak memory against depth", _CAPTION, canvas, every[_DATA])


def _draw_method(axes: "Axes", group: pd.DataFrame) -> End:
    last = group.iloc[-1]
    look, steps = LOOKS[last["kind"]], group["steps"].to_numpy(float)
    shown = group["beside"].clip(lower=1.0)
    axes.plot(steps, shown, color=look.colour, marker=look.marker, zorder=3)
    if last["kind"] in _GUIDES:
        slope = last["beside"] * (steps / steps[-1]) ** SLOPES[last["kind"]]
        axes.plot(steps, slope, color=look.colour, linestyle=(0, (5, 3)), linewidth=0.9, zorder=1)
    if np.isfinite(group["formula"]).any():
        axes.plot(steps, group["formula"], color="#222222", linestyle=":", linewidth=1.2, zorder=4)
    return End(float(steps[-1]), float(shown.iloc[-1]), last["label"], look.colour)
