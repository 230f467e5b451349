"""Error against cost of all methods, with those on the frontier marked."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers
from reports.figure import Figure
from reports.frontier import on_frontier
from reports.labels import End, name_points
from reports.run import Run
from reports.series import main_dtype, of_several_sizes, reference_size, scenes
from reports.style import INK, Look, grid, key, literal, log_log, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Each point is one method at one place: how far off its gradient is, and the seconds it takes. Ringed "
    "and joined by steps: the frontier, those that no other beats in both; errors below eight units of the "
    "dtype count as equal. Named is the fastest place of each method; the small points are the same method "
    "on other backends or with other hyper-parameters. Bars are 95 % intervals of the error; an error of "
    "exactly zero is drawn at an eighth of the unit of the dtype. Methods measured at one size alone stand "
    "in the summary."
)
_COLUMNS = ["case", "scene", "place", "dtype", "variant", "family", "P", "time", "ratio", "error", "frontier"]

MOST_PANELS = 6


def draw(run: Run) -> Figure | None:
    """A panel for each dtype of the first scene and one for each other, at the size most methods reached."""
    parts = _panels(run)
    if not parts:
        return None
    canvas, axes = grid(len(parts), height=4.2)
    look, every = looks(run.cases), pd.concat(parts)
    for panel, here in zip(axes, parts, strict=True):
        first = here.iloc[0]
        name = f"{first['scene'].partition(' (')[0]}, P = {numbers.count(first['P'])}, {first['dtype']}"
        log_log(panel)
        panel.set(title=literal(name), xlabel="time of a gradient (s)", ylabel="relative error |ĝ - g| / |g|")
        _draw_points(panel, here, look)
    key(canvas, every["family"], lines={"frontier": "-"})
    name_points(canvas, {panel: _names(here, look) for panel, here in zip(axes, parts, strict=True)})
    return Figure("frontier", "Error against cost", _CAPTION, canvas, every[_COLUMNS])


def _panels(run: Run) -> list[pd.DataFrame]:
    """The cases of each panel, fastest first, with their place on the frontier."""
    cases = of_several_sizes(run.cases)
    cases = cases[(cases["time"] > 0) & cases["error_drawn"].notna()]
    parts: list[pd.DataFrame] = []
    for scene in scenes(run.main):
        here = cases[cases["scene"] == scene]
        if here.empty:
            continue
        here = here[here["P"] == reference_size(here[here["main"]], "time")]
        for dtype in [main_dtype(here)] if parts else sorted(set(here["dtype"]), reverse=True):
            own = here[here["dtype"] == dtype].sort_values("time")
            front = on_frontier(own["time"].to_numpy(float), own["error_drawn"].to_numpy(float), dtype)
            parts.append(own.assign(frontier=front))
    return parts[:MOST_PANELS]


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
