"""The error of the whole gradient, and of its first layer, against the depth of the network."""

import pandas as pd

from reports.figure import Figure
from reports.studies.precision import entries, networks
from reports.studies.precision.layers import halves, lines
from reports.style import grid, key, literal

_CAPTION = (
    "Above: relative error of the whole gradient over the number of hidden layers. It hides what underflows, "
    "because the last layers make up nearly all of the norm. Below: the error of the first layer's matrix "
    "alone, where 1 means that it is zero throughout. References as in the figure by layer: each problem "
    "against its own rounded numbers. Mind the scales."
)
_COLUMNS = ["case", "network", "hidden", "format", "precision", "kind", "scaling", "error", "first_layer"]


def draw(cases: pd.DataFrame) -> Figure | None:
    """Two rows of panels, for the network with most depths; None where all have one depth."""
    found = [network for network in networks.deep(cases) if network["hidden"].nunique() > 1]
    if not found:
        return None
    shown, look = with_first_layer(found[0]), networks.looks(cases)
    shown = shown[shown["error"].notna()]
    canvas, axes = grid(4, height=3.2, share=False)
    rows = (("error_drawn", "whole gradient"), ("first_drawn", "first layer"))
    for row, (quantity, what) in enumerate(rows):
        pair = axes[2 * row : 2 * row + 2]
        for axis, (title, part) in zip(pair, halves(shown), strict=True):
            axis.set(yscale="log", xlabel="hidden layers", ylabel=f"relative error, {what}")
            axis.set_title(literal(f"{what}: {title}"))
            lines(axis, part, "hidden", quantity, look)
            axis.set_xticks(sorted(set(shown["hidden"])))
    key(canvas, methods={name: look[name] for name in dict.fromkeys(shown["format"])})
    title = f"Error against depth: {shown['network'].iloc[0]}"
    return Figure("precision-depths", title, _CAPTION, canvas, shown[_COLUMNS])


def with_first_layer(network: pd.DataFrame) -> pd.DataFrame:
    """The cases with the error of their first matrix."""
    every = entries.weights(entries.of_cases(network))
    first = every[every["layer"] == 1].set_index("case")
    return network.assign(
        first_layer=network["case"].map(first["relative"]),
        first_drawn=network["case"].map(first["relative_drawn"]),
    )
