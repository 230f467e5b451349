"""The panels that cost, time and function figures share: one quantity over P for all methods of a scene."""

from typing import TYPE_CHECKING

import numpy as np

from reports import theory
from reports.labels import End
from reports.series import Series
from reports.style import Look, log_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_series(axes: "Axes", one: Series, quantity: str, look: Look) -> None:
    """Points joined by a line, with the interval of each as a bar."""
    cases = one.cases
    values = cases[quantity]
    axes.plot(cases["P"], values, color=look.colour, marker=look.marker, zorder=3)
    known = cases[f"{quantity}_low"].notna() & cases[f"{quantity}_high"].notna()
    if known.any():
        below = (values - cases[f"{quantity}_low"])[known].clip(lower=0)
        above = (cases[f"{quantity}_high"] - values)[known].clip(lower=0)
        axes.errorbar(
            cases["P"][known], values[known], yerr=[below, above], fmt="none",
            ecolor=look.colour, elinewidth=1, zorder=2,
        )  # fmt: skip


def draw_slope(
    axes: "Axes", one: Series, quantity: str, slope: float | None, right: float, look: Look
) -> End:
    """Theory's slope, dashed, through the points and on to `right`, where the name belongs."""
    sizes, values = one.cases["P"].to_numpy(float), one.cases[quantity].to_numpy(float)
    if slope is None:
        return End(sizes[-1], values[-1], one.variant, look.colour)
    at = np.array([sizes[0], right])
    line = theory.through(sizes, values, slope, at)
    axes.plot(at, line, color=look.colour, linestyle=(0, (4, 3)), linewidth=0.8, alpha=0.8, zorder=1)
    return End(right, float(line[-1]), one.variant, look.colour)


def over_parameters(axes: "Axes", unit: str) -> None:
    """Log axes over P with `unit` upwards."""
    log_log(axes)
    axes.set_xlabel("number of parameters P")
    axes.set_ylabel(unit)
