"""Error and cosine over the number of samples of stochastic methods, beside sqrt(M / (M + P + 1))."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import theory
from reports.figure import Figure
from reports.numbers import count
from reports.run import Run
from reports.series import largest_group, main_dtype, main_place
from reports.style import Look, grid, literal, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Left: cosine between estimate and gradient over the number of independent samples M (antithetic pairs "
    "or random directions), mean over repetitions. Right: relative error, root of the mean square over "
    "repetitions. Bars are 95 % t intervals. Lines are theory for a linear loss without a free number: "
    "cosine sqrt(M/(M+v)) and error sqrt(v/M), v being the variance factor that the method claims (P + 1 for "
    "Gaussian directions). Points of different methods are set a little beside each other."
)
_COLUMNS = [
    "case", "scene", "P", "place", "dtype", "variant", "family", "samples", "cosine", "cosine_low",
    "cosine_high", "error", "error_low", "error_high", "predicted_cosine",
]  # fmt: skip

MOST_SIZES = 3


def draw(run: Run) -> Figure | None:
    """Two panels: cosine and error, for the scene, place and dtype with most of the sweep."""
    swept = _swept(run)
    if swept.empty:
        return None
    look = looks(run.cases)
    main = run.main.drop_duplicates("method").set_index("method")["variant"]
    methods, sizes = list(dict.fromkeys(swept["method"])), sorted(swept["P"].unique())
    canvas, (left, right) = grid(2, height=3.8, share=False)
    for _, group in swept.groupby(["method", "P"]):
        first = group.iloc[0]
        aside = 1 + 0.06 * methods.index(first["method"])
        _draw_both(left, right, group, look[main[first["method"]]], sizes.index(first["P"]), aside)
    for axes, what in ((left, "cosine of estimate and gradient"), (right, "relative error |ĝ - g| / |g|")):
        axes.set(xscale="log", yscale="log", xlabel="number of independent samples M", ylabel=what)
        _tick_plainly(axes)
    left.legend(loc="lower right")
    title = f"Error and cosine against samples: {swept['scene'].iloc[0]}"
    return Figure("samples", title, _CAPTION, canvas, swept[_COLUMNS])


def _swept(run: Run) -> pd.DataFrame:
    """The cases of the sweep to draw: one scene, dtype and place, the smallest sizes."""
    cases = run.cases
    is_sweep = cases["sweep"].notna() & (cases["sweep"] == cases["samples_field"])
    swept = cases[is_sweep & cases["cosine"].notna()]
    if swept.empty:
        return swept
    swept = largest_group(swept, ["scene"])
    swept = swept[(swept["dtype"] == main_dtype(swept)) & (swept["place"] == main_place(swept))]
    sizes = sorted(swept["P"].unique())[:MOST_SIZES]
    return swept[swept["P"].isin(sizes)].sort_values(["P", "samples"])


def _draw_both(left: "Axes", right: "Axes", group: pd.DataFrame, look: Look, rank: int, aside: float) -> None:
    """Measured points with bars and the predicted lines; problems of greater `rank` hollow."""
    label = literal(f"{group['name'].iloc[0]}, P = {count(group['P'].iloc[0])}")
    samples = group["samples"].to_numpy(float)
    for axes, quantity in ((left, "cosine"), (right, "error")):
        low, high = group[quantity] - group[f"{quantity}_low"], group[f"{quantity}_high"] - group[quantity]
        bars = np.nan_to_num(np.stack([low.clip(lower=0), high.clip(lower=0)]))
        axes.errorbar(
            samples * aside, group[quantity], yerr=bars, fmt=look.marker, color=look.colour, label=label,
            markerfacecolor=look.colour if rank == 0 else "white", elinewidth=1, capsize=2, zorder=3,
        )  # fmt: skip
    claim = group[group["predicted_cosine"].notna()]
    if not claim.empty:
        first = claim.iloc[0]
        factor = theory.variance_factor(float(first["samples"]), float(first["predicted_cosine"]))
        at = np.geomspace(samples.min(), samples.max(), 100)
        left.plot(at, theory.cosine(at, factor), color=look.colour, linewidth=1, zorder=1)
        right.plot(at, theory.sampling_error(at, factor), color=look.colour, linewidth=1, zorder=1)


def _tick_plainly(axes: "Axes") -> None:
    """Ticks at 1, 2 and 5 written as plain numbers: the values span few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
