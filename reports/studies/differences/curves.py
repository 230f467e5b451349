"""The V-curves: error over step in both dtypes, black-box methods above and the others below."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import numbers, theory
from reports.figure import Figure
from reports.studies.differences import sweeps
from reports.style import INK, Look, grid, literal, log_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {
    "forward_difference": Look("#D55E00", "o"),
    "backward_difference": Look("#E69F00", "x"),
    "central_difference": Look("#0072B2", "s"),
    "stencil_difference, order 4": Look("#009E73", "D"),
    "stencil_difference, order 6": Look("#AA4499", "^"),
    "weight_difference": Look("#0072B2", "s"),
    "node_difference": Look("#009E73", "D"),
    "divided_difference": Look("#D55E00", "o"),
    "richardson": Look("#AA4499", "v"),
    "complex_step": Look("#222222", "P"),
}
_BLACK_BOX = tuple(LOOKS)[:5]
_CAPTION = (
    "Relative error of the whole gradient over the step. Lines: predicted from the derivatives and "
    "the noise of "
    "the problem, with no number fitted (truncation and rounding, by squares); rings: the predicted "
    "best step "
    "and floor. Weight differences have the prediction of central differences. Dotted: the unit u "
    "of the dtype. "
    "The step of richardson is its first and longest."
)


def draw(found: pd.DataFrame) -> Figure | None:
    """Two panels a dtype; None without a sweep."""
    rows = sweeps.swept(found)
    rows = rows[rows["label"].isin(LOOKS)]
    if rows.empty:
        return None
    dtypes = sorted(set(rows["dtype"]), reverse=True)
    canvas, axes = grid(2 * len(dtypes), columns=len(dtypes), height=4.0)
    groups = [(names, dtype) for names in (_BLACK_BOX, tuple(LOOKS)[5:]) for dtype in dtypes]
    for panel, (names, dtype) in zip(axes, groups, strict=True):
        _panel(panel, rows[(rows["dtype"] == dtype) & rows["label"].isin(names)], dtype)
        kind = "black-box differences" if names == _BLACK_BOX else "structured or without cancellation"
        panel.set_title(f"{kind}, {dtype}")
        if dtype == dtypes[-1] and panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    title = f"Error against step: P = {numbers.count(rows['P'].iloc[0])}"
    return Figure(
        "differences-steps", title, _CAPTION, canvas, rows[["case", "label", "dtype", "step", "error"]]
    )


def _panel(axes: "Axes", rows: pd.DataFrame, dtype: str) -> None:
    log_log(axes)
    for name, look in LOOKS.items():
        own = rows[rows["label"] == name]
        if own.empty:
            continue
        label = literal(name.replace("_difference", ""))
        axes.plot(own["step"], own["error"], look.marker, color=look.colour, label=label, markersize=4)
        if (curve := sweeps.curve(name, own.iloc[0])) is not None:
            at = np.geomspace(own["step"].min(), own["step"].max(), 200)
            axes.plot(at, curve.error(at), color=look.colour, linewidth=1, zorder=1)
            axes.plot(curve.best_step, curve.floor, "o", mfc="none", mec=INK, markersize=10, zorder=4)
    if unit := theory.epsilon(dtype):
        axes.axhline(unit, color=INK, linewidth=0.9, linestyle=":")
    axes.set(xlabel="step h", ylabel="relative error |ĝ - g| / |g|", ylim=(1e-17, 30))
