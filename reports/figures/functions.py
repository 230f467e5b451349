"""Cost and error over P for the other problems of the run, such as test functions."""

import pandas as pd

from reports.answers.sentences import listed
from reports.figure import Figure
from reports.figures.growth import draw_series, over_parameters
from reports.run import Run
from reports.series import growing, main_dtype, main_place, series
from reports.style import grid, key, literal, looks

_CAPTION = (
    "Above: cost of one gradient in plain forward passes, bars are 95 % bootstrap intervals. Below: relative "
    "error of the whole gradient, bars are 95 % t intervals of the stochastic methods. Theory's slopes are "
    "those of the first figure."
)
_COLUMNS = [
    "case", "scene", "place", "dtype", "variant", "family", "P", "ratio", "ratio_low", "ratio_high",
    "error", "error_low", "error_high",
]  # fmt: skip

MOST_PROBLEMS = 4


def draw(run: Run) -> Figure | None:
    """A column for each scene but the first that has several sizes; the place and dtype with most methods."""
    chosen = (
        growing(run.main, "ratio")[1 : 1 + MOST_PROBLEMS] or growing(run.main, "error")[1 : 1 + MOST_PROBLEMS]
    )
    cases = run.main[run.main["scene"].isin(chosen)].dropna(subset=["ratio", "error"], how="all")
    if cases.empty:
        return None
    cases = _usual_place(cases[cases["dtype"] == main_dtype(cases)])
    look, shown = looks(run.cases), sorted(chosen)
    canvas, axes = grid(2 * len(shown), columns=len(shown), height=3.0, share=False)
    rows = (("ratio", "cost (forward passes)"), ("error_drawn", "relative error |ĝ - g| / |g|"))
    for row, (quantity, unit) in enumerate(rows):
        for panel, scene in zip(axes[row * len(shown) :], shown, strict=False):
            over_parameters(panel, unit)
            panel.set_title(literal(scene.partition(" (")[0]) if row == 0 else "")
            for one in series(cases[cases["scene"] == scene], quantity):
                draw_series(panel, one, quantity, look[one.variant])
    present = set(cases["variant"])
    key(canvas, methods={name: style for name, style in look.items() if name in present})
    title = f"Other problems: cost and error against size, {listed(dict.fromkeys(cases['place']))}"
    title += f", {cases['dtype'].iloc[0]}"
    return Figure("functions", title, _CAPTION, canvas, cases[_COLUMNS])


def _usual_place(cases: pd.DataFrame) -> pd.DataFrame:
    """Each method where most methods ran, or, if it did not run there, where it has most cases."""
    usual = main_place(cases)
    number = cases.groupby(["variant", "place"])["case"].transform("count")
    rank = number.where(cases["place"] != usual, len(cases) + 1)
    return cases[rank == rank.groupby(cases["variant"]).transform("max")]
