"""The entries that have become zero: by layer, and beside the law of a normal distribution."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gradmark.measuring.underflow import underflow_of_normal
from reports.figure import Figure
from reports.studies.precision import entries, formats, networks
from reports.studies.precision.layers import lines
from reports.style import INK, Look, grid, key, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Left: the fraction of each matrix's entries that are zero in the gradient and not in the reference, "
    "for the 16-bit formats. "
)
_LAW = (
    "Right: the same fraction for the biases of a network of one row, whose gradients are the deltas "
    "themselves, over their size s times the loss scale S in units of half of the smallest float16 number, "
    "2⁻²⁵. The line is the law for normal entries, erf(2⁻²⁵ / (s S √2)), with nothing fitted: s is the root "
    "mean square of the reference. Deltas that were rounded near the end of the format go on into the "
    "layers below, so that points leave the line where the loss is large."
)
SMALLEST = 2.0**-25
_COLUMNS = ["case", "panel", "network", "hidden", "format", "start", "array", "layer", "underflowed"]
_COLUMNS += ["root_mean_square", "predicted"]


def draw(cases: pd.DataFrame) -> Figure | None:
    """By layer where there are networks, and the law where there are cases for it."""
    found = [networks.deepest(network) for network in networks.deep(cases)[:1]]
    by_layer = [_by_layer(network) for network in found]
    law = of_law(cases)
    panels = len(by_layer) + (not law.empty)
    if not panels:
        return None
    canvas, axes = grid(panels, height=3.6, share=False)
    look = networks.looks(cases)
    named: dict[str, Look] = {}
    for axis, here in zip(axes, by_layer, strict=False):
        axis.set(xlabel="layer, from the inputs", ylabel="entries that became zero", ylim=(-0.04, 1.04))
        axis.set_title(literal(f"{here['network'].iloc[0]}, {here['hidden'].iloc[0]:.0f} hidden layers"))
        lines(axis, here, "layer", "underflowed", look)
        named |= {name: look[name] for name in dict.fromkeys(here["format"])}
    if not law.empty:
        named |= _draw_law(axes[-1], law)
    key(canvas, methods=named, lines={} if law.empty else {"law of normal entries": "-"})
    data = pd.concat([*(each.assign(panel="layers") for each in by_layer), law.assign(panel="law")])
    caption = _CAPTION + (_LAW if not law.empty else "")
    return Figure("precision-zeros", "Entries that underflow", caption, canvas, data[_COLUMNS])


def _by_layer(network: pd.DataFrame) -> pd.DataFrame:
    found = entries.weights(entries.of_cases(network))
    return found[found["precision"].isin(["float16", "bfloat16"])].assign(predicted=np.nan)


def of_law(cases: pd.DataFrame) -> pd.DataFrame:
    """The biases of the law's cases, with the fraction that it predicts."""
    known = networks.of_law(cases)
    found = entries.of_cases(known[known["error"].notna()])
    found = found[(found["part"] == "bias") & (found["root_mean_square"] > 0)]
    sizes = zip(found["root_mean_square"], found["start"], strict=True)
    return found.assign(predicted=[underflow_of_normal(deviation, scale) for deviation, scale in sizes])


def _draw_law(axes: "Axes", law: pd.DataFrame) -> dict[str, Look]:
    """Points for each scale and the curve; the looks of the points."""
    looks = _looks(law)
    for scale, group in law.groupby("start"):
        style = looks[f"scale {formats.power(float(scale))}"]  # type: ignore[arg-type]  # a float
        size = group["root_mean_square"] * group["start"] / SMALLEST
        axes.plot(size, group["underflowed"], style.marker, color=style.colour, alpha=0.9, zorder=3)
    at = np.geomspace(1e-3, 1e4, 300)
    axes.plot(at, [underflow_of_normal(SMALLEST * one) for one in at], color=INK, linewidth=1, zorder=2)
    axes.set(xscale="log", xlim=(1e-3, 1e4), ylim=(-0.04, 1.04), ylabel="entries that became zero")
    axes.set_xlabel("size times scale, s S / 2⁻²⁵")
    axes.set_title(literal(f"{law['network'].iloc[0]}: biases"))
    return looks


def _looks(law: pd.DataFrame) -> dict[str, Look]:
    """From light to dark with the scale."""
    scales = sorted(set(law["start"]))
    shades = [round(200 - 160 * index / max(len(scales) - 1, 1)) for index in range(len(scales))]
    return {
        f"scale {formats.power(scale)}": Look(f"#{shade:02x}{shade:02x}{min(shade + 40, 255):02x}", "o")
        for scale, shade in zip(scales, shades, strict=True)
    }
