"""Seconds of a gradient over P, with the fitted laws t = a + b P^k."""

from typing import TYPE_CHECKING

import numpy as np

from gradmark.measuring.exponent import widest
from reports import numbers
from reports.figure import Figure
from reports.figures.growth import draw_series, draw_slope, over_parameters
from reports.labels import End, label_ends
from reports.laws import Law
from reports.run import Run
from reports.series import growing, lines, panels
from reports.style import Look, grid, key, literal, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Median time of one gradient; bars are quartiles. Dotted: the fitted law t = a + b P^k, extrapolated to "
    "the largest size where the interval of k is narrower than one; behind each name the exponent k with "
    "its 95 % interval. The constant a keeps the overhead of small sizes out of the exponent. Dashed, where "
    "there are too few sizes for a law: the slope that is claimed."
)
_COLUMNS = ["case", "scene", "place", "dtype", "variant", "family", "P", "time", "time_low", "time_high"]


def draw(run: Run) -> Figure | None:
    """The figure for the scene with most cases that has several sizes."""
    chosen = growing(run.main, "time")[:1]
    cases = run.main[run.main["scene"].isin(chosen) & run.main["time"].notna()]
    if cases.empty:
        return None
    look, pairs, right = looks(run.cases), panels(cases, "time"), cases["P"].max()
    canvas, axes = grid(len(pairs), height=3.6)
    fits = [law for law in run.laws if law.series.scene in chosen]
    ends = {}
    for panel, pair in zip(axes, pairs, strict=True):
        over_parameters(panel, "time of a gradient (s)")
        panel.set_title(literal(", ".join(pair)))
        drawn = {one.variant for one in lines(cases, "time", pair)}
        here = [law for law in fits if (law.series.place, law.series.dtype) == pair]
        here = [law for law in here if law.series.variant in drawn]
        for law in here:
            draw_series(panel, law.series, "time", look[law.series.variant])
        ends[panel] = [_draw_law(panel, law, right, look[law.series.variant]) for law in here]
    key(canvas, cases["family"], lines={"fitted law": ":", "claimed slope": "--"})
    label_ends(canvas, ends)
    return Figure("time", f"Time against size: {chosen[0]}", _CAPTION, canvas, cases[_COLUMNS])


def _draw_law(axes: "Axes", fit: Law, right: float, look: Look) -> End:
    """The fitted law as a dotted line, on to `right` where it is well known; the name has the exponent."""
    if fit.law is None:
        return draw_slope(axes, fit.series, "time", fit.claimed, right, look)
    bounded = fit.law.high - fit.law.low < 2 * widest()
    at = np.geomspace(fit.series.cases["P"].min(), right if bounded else fit.series.cases["P"].max(), 60)
    line = np.array([fit.law.at(size) for size in at])
    axes.plot(at, line, color=look.colour, linestyle=":", linewidth=1, zorder=1)
    exponent = numbers.exponent(fit.law.exponent, fit.law.low, fit.law.high)
    return End(float(at[-1]), float(line[-1]), f"{fit.series.variant}  {exponent}", look.colour)
