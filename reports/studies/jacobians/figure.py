"""Time of a Jacobian over n / m: forward mode rises, reverse mode falls, and where they cross."""

import numpy as np
import pandas as pd

from reports.figure import Figure
from reports.studies.jacobians import ratios
from reports.style import FAMILIES, INK, Look, grid, key, literal, log_log

_CAPTION = (
    "Time of the whole Jacobian over inputs n in outputs m, with about as many entries everywhere; bars are "
    "95 % intervals. Dotted: n = m, where passes of equal cost cross. Shaded: the interval of the measured "
    "crossover, of the first method of each mode. Where passes are small their fixed cost shows, and lines "
    "flatten."
)
_MARKERS = "osD^"
_DATA = ["case", "variant", "family", "place", "inputs", "outputs", "time", "time_low", "time_high"]


def draw(found: pd.DataFrame) -> Figure | None:
    """A panel for each place; None where nothing was timed."""
    places = list(dict.fromkeys(found["place"]))
    if not places:
        return None
    canvas, axes = grid(len(places), height=3.6)
    looks = _looks(found)
    for panel, place in zip(axes, places, strict=True):
        own = found[found["place"] == place]
        for name, line in own.groupby("variant", sort=False):
            look, at = looks[str(name)], line["time"].to_numpy(float)
            ends = [at - line["time_low"].to_numpy(float), line["time_high"].to_numpy(float) - at]
            panel.errorbar(
                line["ratio_of"], at, yerr=np.nan_to_num(np.clip(ends, 0, None)), marker=look.marker,
                color=look.colour, elinewidth=1,
            )  # fmt: skip
        log_log(panel)
        panel.axvline(1, color=INK, linewidth=0.9, linestyle=":")
        for crossing in ratios.crossings(own)[:1]:
            if np.isfinite(crossing.low) and np.isfinite(crossing.high):
                panel.axvspan(crossing.low, crossing.high, color="#dddddd", zorder=0)
        panel.set(xlabel="inputs / outputs, n / m", ylabel="time of the Jacobian (s)", title=literal(place))
    key(canvas, methods=looks, lines={"n = m": ":"})
    return Figure("jacobians", "Forward against reverse mode", _CAPTION, canvas, found[_DATA])


def _looks(found: pd.DataFrame) -> dict[str, Look]:
    looks: dict[str, Look] = {}
    for family in (ratios.FORWARD, ratios.REVERSE):
        names = dict.fromkeys(found.loc[found["family"] == family, "variant"])
        looks |= {name: Look(FAMILIES[family], _MARKERS[i % 4]) for i, name in enumerate(names)}
    return looks
