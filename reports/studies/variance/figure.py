"""Variance against the number of directions: points over the lines of the formulas."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers
from reports.figure import Figure
from reports.style import Look, grid, key, literal, log_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Mean relative squared error of random forward gradients over the number of directions K; bars are 95 % "
    "intervals. Lines: the formulas at this problem, with no number fitted. Right: measured over formula, "
    "laws a little beside each other; with 1 the formula is exact."
)
_COLOURS = ("#009E73", "#0072B2", "#D55E00", "#AA4499", "#222222", "#999933")
_MARKERS = "osD^vP"
_DATA = ["case", "P", "law", "directions", "variance", "variance_low", "variance_high", "formula", "seeds"]


def draw(found: pd.DataFrame) -> Figure | None:
    """Two panels, at the largest P; None where there is nothing."""
    if found.empty:
        return None
    own = found[found["P"] == found["P"].max()]
    laws = list(dict.fromkeys(own["law"]))
    looks = {law: Look(_COLOURS[i % 6], _MARKERS[i % 6]) for i, law in enumerate(laws)}
    canvas, (left, right) = grid(2, height=4.2, share=False)
    for index, law in enumerate(laws):
        _draw_law(left, right, own[own["law"] == law], looks[law], 1 + 0.07 * (index - len(laws) / 2))
    log_log(left)
    right.set_xscale("log")
    right.axhline(1, color="#222222", linewidth=0.9, zorder=1)
    left.set(xlabel="directions K", ylabel="relative variance |ĝ - g|² / |g|²", title="variance")
    right.set(xlabel="directions K", ylabel="measured / formula", title="measured over formula")
    key(canvas, methods={literal(law): look for law, look in looks.items()}, lines={"formula": "-"})
    title = f"Variance of random forward gradients: P = {numbers.count(own['P'].iloc[0])}"
    return Figure("variance", title, _CAPTION, canvas, own[_DATA])


def _draw_law(left: "Axes", right: "Axes", own: pd.DataFrame, look: Look, aside: float) -> None:
    at, formula = own["directions"].to_numpy(float), own["formula"].to_numpy(float)
    value, low, high = (own[f"variance{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    bars = np.nan_to_num(np.clip([value - low, high - value], 0, None))
    style = {"fmt": look.marker, "color": look.colour, "elinewidth": 1, "capsize": 2}
    left.errorbar(at, value, yerr=bars, zorder=3, **style)  # type: ignore[arg-type]
    left.plot(at, formula, color=look.colour, linewidth=1, zorder=1)
    right.errorbar(at * aside, value / formula, yerr=bars / formula, **style)  # type: ignore[arg-type]
