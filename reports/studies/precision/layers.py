"""The error of the gradient layer by layer, from the first to the last."""

from typing import TYPE_CHECKING

import pandas as pd

from reports.figure import Figure
from reports.studies.precision import entries, networks
from reports.style import Look, grid, key, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Relative error of each layer's matrix, from the first layer to the last. Left: plain backprop with "
    "everything in one format; right: 16-bit passes with a float32 master copy, by the loss scale. Each "
    "problem's error is taken against the reference from its own rounded numbers: on the left parameters and "
    "data are rounded before, on the right the rounding to 16 bits is part of the error. An error of 1 is "
    "a gradient that is zero throughout; above it, what is left of numbers near the end of the format is "
    "larger than the truth. An error of zero is drawn at an eighth of the format's unit. Mind the scales."
)
_COLUMNS = ["case", "network", "hidden", "format", "precision", "kind", "scaling", "array", "layer"]
_COLUMNS += ["relative", "absolute", "underflowed", "root_mean_square"]


def draw(cases: pd.DataFrame) -> Figure | None:
    """A row of two panels for each network, at its largest depth."""
    found = [networks.deepest(network) for network in networks.deep(cases)]
    if not found:
        return None
    shown = entries.weights(entries.of_cases(pd.concat(found)))
    look = networks.looks(cases)
    canvas, axes = grid(2 * len(found), height=3.6, share=False)
    for index, network in enumerate(dict.fromkeys(shown["network"])):
        here = shown[shown["network"] == network]
        for axis, (title, part) in zip(axes[2 * index : 2 * index + 2], halves(here), strict=True):
            name = f"{here['hidden'].iloc[0]:.0f} hidden layers: {title}"
            axis.set(yscale="log", xlabel="layer, from the inputs", ylabel="relative error |ĝ - g| / |g|")
            axis.set_title(literal(f"{network.partition(' (')[2].partition(',')[0].rstrip(')')}, {name}"))
            lines(axis, part, "layer", "relative_drawn", look)
    key(canvas, methods={name: look[name] for name in dict.fromkeys(shown["format"])})
    title = f"Error by layer: {' and '.join(dict.fromkeys(shown['network']))}"
    return Figure("precision-layers", title, _CAPTION, canvas, shown[_COLUMNS])


def halves(found: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """What is in one format throughout, and what has a wide master copy."""
    plain = found["kind"] == "plain"
    return [("one format throughout", found[plain]), ("float32 master copy", found[~plain])]


def lines(axes: "Axes", found: pd.DataFrame, x: str, y: str, look: dict[str, Look]) -> None:
    """A line of points for each format."""
    for name, group in found.groupby("format", sort=False):
        style, group = look[str(name)], group.sort_values(x)
        axes.plot(
            group[x], group[y], color=style.colour, marker=style.marker, linewidth=1.1, markersize=3.8,
            zorder=3,
        )  # fmt: skip
