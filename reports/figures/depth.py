"""Peak memory over depth at constant width."""

from typing import TYPE_CHECKING

import pandas as pd

from reports import theory
from reports.figure import Figure
from reports.labels import End, label_ends
from reports.laws import claimed
from reports.run import Run
from reports.series import in_depth_sweep, largest_group, main_dtype
from reports.style import Look, family_order, grid, key, literal, log_log, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Peak memory of one gradient (preparation included) over the number of affine layers, width and batch "
    "held. Hollow: below what the measurement resolves, drawn at the resolution. Dashed: growth in "
    "proportion to the depth, for methods that claim it."
)
_COLUMNS = [
    "case",
    "problem",
    "place",
    "dtype",
    "variant",
    "family",
    "P",
    "depth",
    "peak_bytes",
    "resolution",
]


def draw(run: Run) -> Figure | None:
    """A panel for each place; the problem and width with most cases, one dtype."""
    from matplotlib.ticker import EngFormatter

    cases = run.main[run.main["peak_bytes"].notna() & run.main["depth"].notna()]
    cases = cases[in_depth_sweep(cases)]
    if cases.empty:
        return None
    cases = largest_group(cases, ["problem", "alphabet"])
    cases = cases[cases["dtype"] == main_dtype(cases)].sort_values("depth")
    cases = cases.assign(
        resolution=[(detail or {}).get("resolution") or 0 for detail in cases["peak_bytes_detail"]]
    )
    look, places = looks(run.cases), list(dict.fromkeys(cases["place"]))
    canvas, axes = grid(len(places), height=3.8)
    ends = {}
    for panel, place in zip(axes, places, strict=True):
        log_log(panel)
        panel.set(xlabel="number of affine layers", ylabel="peak memory (B)")
        panel.set_title(literal(f"{place}, {cases['dtype'].iloc[0]}"))
        panel.yaxis.set_major_formatter(EngFormatter(unit="B"))
        _mark_depths(panel, sorted(set(cases["depth"])))
        here = cases[cases["place"] == place]
        ends[panel] = [_draw_method(panel, group, look) for group in _methods(here)]
    key(canvas, cases["family"], lines={"in proportion to the depth": "--"})
    label_ends(canvas, ends)
    title = f"Memory against depth: {cases['scene'].iloc[0].partition(' (')[0]}"
    return Figure("depth", title, _CAPTION, canvas, cases[_COLUMNS])


def _methods(cases: pd.DataFrame) -> list[pd.DataFrame]:
    groups = [group for _, group in cases.groupby("variant") if (group["peak_bytes"] > 0).any()]
    return sorted(groups, key=lambda group: family_order(group["family"].iloc[0]))


def _draw_method(axes: "Axes", group: pd.DataFrame, look: dict[str, Look]) -> End:
    style = look[group["variant"].iloc[0]]
    shown = group["peak_bytes"].clip(lower=group["resolution"].clip(lower=1))
    hidden = group["peak_bytes"] < group["resolution"]
    axes.plot(group["depth"], shown, color=style.colour, marker=style.marker, zorder=3)
    axes.plot(group["depth"][hidden], shown[hidden], style.marker, color=style.colour, mfc="white", zorder=4)
    slope = claimed(group.iloc[-1], "memory", "depth")
    if slope and len(group) > 1:
        sizes = group["depth"].to_numpy(float)
        line = theory.through(sizes, shown.to_numpy(float), slope, sizes)
        axes.plot(sizes, line, color=style.colour, linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
    return End(group["depth"].iloc[-1], float(shown.iloc[-1]), group["variant"].iloc[0], style.colour)


def _mark_depths(axes: "Axes", depths: list[float]) -> None:
    """The measured depths as ticks: powers of ten say little between 2 and 64."""
    axes.set_xticks(depths, [f"{depth:.0f}" for depth in depths])
    axes.set_xticks([], minor=True)
