"""The error against the number of samples: its slope, -1/2 where samples are independent."""

import math

import numpy as np
import pandas as pd

from reports import numbers
from reports.laws import slope
from reports.table import Cell, Sentence


def slopes(found: pd.DataFrame) -> list[tuple[str, float, float, float, str]]:
    """Who, slope of log(error) on log(M / v) with its 95 % interval, and the last case, for each method.

    Over M / v and not M: where directions are orthogonal, v falls with M. Two numbers of samples give a slope
    whose interval comes from those of the two errors; more give that of the regression.
    """
    said = []
    for who, group in found.groupby("who", sort=False):
        own = group[(group["variance_law"] > 0) & (group["variance"] > 0)]
        if own["pairs"].nunique() < 2:
            continue
        said.append((str(who), *_slope(own), str(own["case"].iloc[-1])))
    return said


def _slope(own: pd.DataFrame) -> tuple[float, float, float]:
    ratio = (1 / own["variance_law"]).tolist()
    if len(own) > 2:
        return slope(ratio, own["error"].tolist())
    run = math.log(ratio[-1] / ratio[0])
    value = math.log(own["error"].iloc[-1] / own["error"].iloc[0]) / run
    half = np.hypot(*(np.log(own["error_high"] / own["error_low"]) / 2)) / abs(run)
    return value, value - float(half), value + float(half)


def sentence(found: pd.DataFrame) -> Sentence | None:
    """The slopes of independent and of orthogonal samples."""
    known = slopes(found)
    if not known:
        return None
    parts: list[str | Cell] = ["The error falls with the slope (theory -1/2, over M/v) "]
    for number, (who, value, low, high, case) in enumerate(known):
        parts += [", " if number else "", f"{who} ", Cell(f"{value:.3f}", numbers.interval(low, high), case)]
    return (*parts, ".")
