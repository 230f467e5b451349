"""Error against cost of all methods, with those on the frontier marked."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers
from reports.figure import Figure
from reports.frontier import on_frontier
from reports.labels import End, name_points
from reports.run import Run
from reports.series import reference_size, scenes
from reports.style import INK, Look, grid, key, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Each point is one method at one place: how far off its gradient is, and the seconds it takes. Ringed "
    "and joined by steps: the frontier, those that no other beats in both; errors below eight units of the "
    "dtype count as equal. Named is the fastest place of each method; the small points are the same method "
    "on other backends or with other hyper-parameters. Bars are 95 % intervals of the error; an error of "
    "exactly zero is drawn at an eighth of the unit of the dtype."
)
_COLUMNS = ["case", "scene", "place", "dtype", "variant", "family", "P", "time", "ratio", "error", "frontier"]


def draw(run: Run) -> Figure | None:
    """A panel for each dtype, at the largest size that most methods reached."""
    cases = run.cases[(run.cases["time"] > 0) & run.cases["error_drawn"].notna()]
    chosen = [scene for scene in scenes(run.main) if (cases["scene"] == scene).any()][:1]
    cases = cases[cases["scene"].isin(chosen)]
    if cases.empty:
        return None
    size = reference_size(cases[cases["main"]], "time")
    cases = cases[cases["P"] == size]
    dtypes = sorted(set(cases["dtype"]), reverse=True)
    canvas, axes = grid(len(dtypes), height=4.4)
    look, parts = looks(run.cases), []
    for panel, dtype in zip(axes, dtypes, strict=True):
        here = cases[cases["dtype"] == dtype].sort_values("time")
        front = on_frontier(here["time"].to_numpy(float), here["error_drawn"].to_numpy(float), dtype)
        here = here.assign(frontier=front)
        parts.append(here)
        panel.set(xscale="log", yscale="log", title=dtype)
        panel.set(xlabel="time of a gradient (s)", ylabel="relative error |ĝ - g| / |g|")
        _draw_points(panel, here, look)
    key(canvas, cases["family"], lines={"frontier": "-"})
    name_points(canvas, {panel: _names(here, look) for panel, here in zip(axes, parts, strict=True)})
    title = f"Error against cost: {chosen[0]}, P = {numbers.count(size)}"
    return Figure("frontier", title, _CAPTION, canvas, pd.concat(parts)[_COLUMNS])


def _draw_points(axes: "Axes", here: pd.DataFrame, look: dict[str, Look]) -> None:
    """Points (small where not the method's fastest), error bars, rings and steps of the frontier."""
    fastest = _fastest(here)
    for row in here.to_dict("records"):
        style, best = look[row["variant"]], row["case"] in fastest
        axes.plot(
            row["time"], row["error_drawn"], style.marker, color=style.colour,
            markersize=6 if best else 3.5, alpha=1 if best else 0.5, zorder=3,
        )  # fmt: skip
        if np.isfinite(row["error_low"]) and np.isfinite(row["error_high"]):
            axes.vlines(row["time"], row["error_low"], row["error_high"], color=style.colour, linewidth=1)
    front = here[here["frontier"]]
    axes.plot(front["time"], front["error_drawn"], "o", mfc="none", mec=INK, markersize=10, zorder=4)
    axes.step(front["time"], front["error_drawn"], where="post", color=INK, linewidth=0.8, zorder=1)
    axes.margins(x=0.12, y=0.12)


def _fastest(here: pd.DataFrame) -> set[str]:
    """The cases to name: of each main variant the fastest place."""
    return set(here[here["main"]].sort_values("time").drop_duplicates("variant")["case"])


def _names(here: pd.DataFrame, look: dict[str, Look]) -> list[End]:
    """All points; the fastest of each method with its name, and its place where there are several."""
    fastest, several = _fastest(here), here["place"].nunique() > 1
    names = here["variant"] + (" (" + here["place"] + ")" if several else "")
    names = names.where(here["case"].isin(fastest), "")
    points = zip(here["time"], here["error_drawn"], names, here["variant"], strict=True)
    return [End(time, error, name, look[variant].colour) for time, error, name, variant in points]
