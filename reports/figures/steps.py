"""Error over step for finite differences, the V-curves, with the predicted optimum and branches."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers, theory
from reports.figure import Figure
from reports.run import Run
from reports.series import largest_group, main_place
from reports.style import INK, Look, grid, literal, log_log, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Relative error of the whole gradient over the step h. Curves: truncation C h^p plus rounding R u/h, u "
    "the unit of the dtype; for each method C and R are fitted to the panel marked *, and the other panel's "
    "curve is predicted from them by its u alone. Vertical lines: the rule of thumb h = u^(1/(p+1)), the "
    "square root of u for order 1, its cube root for order 2 (parameters and derivatives of size one). "
    "Rings: the optimum h = (R u / (p C))^(1/(p+1)) of the curve."
)
_COLUMNS = ["case", "scene", "P", "place", "dtype", "variant", "family", "order", "sweep_value", "error"]


def draw(run: Run) -> Figure | None:
    """One panel for each dtype; the scene, size and place with the longest sweep."""
    cases = run.cases
    swept = cases[cases["sweep"].notna() & (cases["sweep"] == cases["step_field"]) & cases["error"].notna()]
    if swept.empty:
        return None
    swept = largest_group(swept, ["scene", "P"])
    swept = swept[swept["place"] == main_place(swept)].sort_values("sweep_value")
    look = _looks(run, swept)
    dtypes = sorted(set(swept["dtype"]), key=lambda name: theory.epsilon(name) or 0.0)
    canvas, axes = grid(len(dtypes), height=3.8)
    for panel, dtype in zip(axes, dtypes, strict=True):
        _draw_dtype(panel, swept, dtype, dtypes[0], look)
    first = swept.iloc[0]
    title = f"Error against step: {first['scene']}, P = {numbers.count(first['P'])}, {first['place']}"
    return Figure("steps", title, _CAPTION, canvas, swept[_COLUMNS].rename(columns={"sweep_value": "step"}))


def _looks(run: Run, swept: pd.DataFrame) -> dict[str, Look]:
    """The look of each method's own variant, which the sweep's variants stand for."""
    every = looks(run.cases)
    main = run.main.drop_duplicates("method").set_index("method")["variant"]
    return {
        str(name): every[main[method]] for name, method in zip(swept["name"], swept["method"], strict=True)
    }


def _draw_dtype(axes: "Axes", swept: pd.DataFrame, dtype: str, fitted_to: str, look: dict[str, Look]) -> None:
    log_log(axes)
    axes.set_xlabel("step h, as given to the method")
    axes.set_ylabel("relative error |ĝ - g| / |g|")
    axes.set_title(f"{dtype}{' *' if dtype == fitted_to else ''}")
    for name, group in swept.groupby("name"):
        here, base = group[group["dtype"] == dtype], group[group["dtype"] == fitted_to]
        if not here.empty:
            style = look[str(name)]
            label = literal(f"{name} ({_order(here)})")
            axes.plot(
                here["sweep_value"], here["error"], style.marker, color=style.colour, label=label, zorder=3
            )
            _draw_theory(axes, here, base if not base.empty else here, style)
    low = swept["error"][swept["error"] > 0].min()
    axes.set_ylim(low / 5, 10.0)
    if dtype == fitted_to:
        axes.legend(loc="lower left")


def _draw_theory(axes: "Axes", here: pd.DataFrame, base: pd.DataFrame, look: Look) -> None:
    """Rule of thumb, branches and their optimum, where order and unit are known."""
    order = here["order"].iloc[0]
    unit, fitted_unit = theory.epsilon(str(here["dtype"].iloc[0])), theory.epsilon(str(base["dtype"].iloc[0]))
    if unit is None or fitted_unit is None or not np.isfinite(order):
        return
    rule = theory.rule_of_thumb_step(int(order), unit)
    axes.axvline(rule, color=look.colour, linewidth=0.9, linestyle=(0, (1, 2)))
    root = {1: "√u", 2: "∛u"}.get(int(order), f"u^(1/{order + 1:.0f})")
    axes.annotate(
        root, (rule, 1.0), (3, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
        color=look.colour, va="top",
    )  # fmt: skip
    branches = theory.fit_branches(
        int(order), base["sweep_value"].to_numpy(float), base["error"].to_numpy(float), fitted_unit
    )
    if branches is None:
        return
    at = np.geomspace(here["sweep_value"].min(), here["sweep_value"].max(), 200)
    axes.plot(at, branches.error(at, unit), color=look.colour, linewidth=1, alpha=0.9)
    best = np.array([branches.best_step(unit)])
    axes.plot(best, branches.error(best, unit), "o", mfc="none", mec=INK, markersize=10, zorder=4)


def _order(cases: pd.DataFrame) -> str:
    order = cases["order"].iloc[0]
    return f"order {order:.0f}" if np.isfinite(order) else "order not claimed"
