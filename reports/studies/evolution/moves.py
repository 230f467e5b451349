"""The error against sigma: curvature lifts it on the right, the rounding of the loss on the left."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.figure import Figure
from reports.style import Look, grid, key, literal, log_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = (
    "Relative error (root mean square over seeds, bars: 95 % intervals) against the standard deviation "
    "sigma of the moves, at a network of {size} parameters. In theory the error of random methods is that "
    "of chance, whatever sigma is, and that of hadamard_node_es, which has none, grows with sigma² "
    "(dashed) from where the loss's rounding, of the size eps |f| / sigma, no longer lifts it."
)
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#222222")
_MARKERS = "osD^v"
DATA = ["case", "who", "dtype", "P", "sigma", "error", "error_low", "error_high", "seeds"]


def draw(found: pd.DataFrame) -> Figure | None:
    """A panel for each dtype; None where there is nothing."""
    own = found[found["sigma"].notna()]
    if own.empty:
        return None
    dtypes, names = sorted(set(own["dtype"]), reverse=True), list(dict.fromkeys(own["who"]))
    looks = {who: Look(_COLOURS[i % 5], _MARKERS[i % 5]) for i, who in enumerate(names)}
    canvas, panels = grid(len(dtypes), height=4.2)
    for axes, dtype in zip(panels, dtypes, strict=False):
        for who in names:
            _line(axes, own[(own["dtype"] == dtype) & (own["who"] == who)], looks[who])
        log_log(axes)
        axes.set_ylim(own["error"].min() / 4, own["error"].max() * 4)
        axes.set(xlabel="sigma", ylabel="relative error", title=dtype)
    key(canvas, methods={literal(who): look for who, look in looks.items()}, lines={"sigma²": "--"})
    caption = _CAPTION.format(size=f"{own['P'].iloc[0]:.0f}")
    return Figure("evolution-sigma", "Error against the size of the moves", caption, canvas, own[DATA])


def _line(axes: "Axes", own: pd.DataFrame, look: Look) -> None:
    if own.empty:
        return
    at, value = own["sigma"].to_numpy(float), own["error"].to_numpy(float)
    low, high = (own[f"error_{end}"].to_numpy(float) for end in ("low", "high"))
    bars = np.nan_to_num(np.clip([value - low, high - value], 0, None))
    axes.errorbar(
        at, value, yerr=bars, marker=look.marker, color=look.colour, elinewidth=1, capsize=2, linewidth=1
    )
    law = square_law(own)
    if law is not None:
        axes.plot(at, law * at**2, color=look.colour, linestyle="--", linewidth=0.8, zorder=1)


def square_law(own: pd.DataFrame) -> float | None:
    """c in c sigma^2 where the method has no variance: the median over the points that fall by it."""
    if not own["who"].iloc[0].startswith("hadamard_node_es"):
        return None
    falling = own[own["sigma"].between(1e-3, 3e-1)]
    return float(np.median(falling["error"] / falling["sigma"] ** 2)) if len(falling) else None


def order(found: pd.DataFrame) -> tuple[float, str] | None:
    """The slope of hadamard_node_es in sigma, in float64, between 1e-2 and 1e-1, with its last case."""
    own = found[(found["who"] == "hadamard_node_es") & (found["dtype"] == "float64")]
    own = own[own["sigma"].between(0.9e-2, 1.1e-1)]
    if len(own) < 2:
        return None
    fit = np.polyfit(np.log(own["sigma"].astype(float)), np.log(own["error"].astype(float)), 1)
    return float(fit[0]), str(own["case"].iloc[-1])


def crossover(found: pd.DataFrame) -> tuple[float, str] | None:
    """The sigma from which on mirrored pairs err less than as many one-sided moves, in float64.

    Between the last sigma at which they don't and the next, on a straight line through the logarithms.
    """
    own = found[(found["dtype"] == "float64") & found["sigma"].notna()].sort_values("sigma")
    pairs, single = (
        own[own["who"] == who].set_index("sigma") for who in ("gaussian_es", "gaussian_es, one-sided")
    )
    shared = [sigma for sigma in pairs.index if sigma in single.index]
    if len(shared) < 2:
        return None
    apart = np.array([np.log(pairs.loc[s, "error"] / single.loc[s, "error"]) for s in shared], dtype=float)
    behind = [i for i in range(1, len(shared)) if apart[i - 1] > 0 >= apart[i]]
    if not behind:
        return None
    left, right = behind[-1] - 1, behind[-1]
    share = apart[left] / (apart[left] - apart[right])
    sigma = shared[left] * (shared[right] / shared[left]) ** share
    return float(sigma), str(pairs.loc[shared[right], "case"])
