"""The tests of a random estimate: is its mean the gradient, and its variance the declared one?

Each takes the estimates there are and the share of the false-alarm probability that it may spend by now,
and returns a `Statistic`. Where the exact law is declared (normal directions, linear loss) the scale and the
part across the gradient are chi-square and tested exactly; elsewhere means are tested with the skewness
taken out, and a reserve for how far that is wrong in the tail (`gradmark.measuring.skew_corrected`).
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.replicates import Replicates
from gradmark.measuring import chi_square, e_process
from gradmark.measuring.equivalence import confidence
from gradmark.measuring.interval import Interval
from gradmark.measuring.skew_corrected import FEWEST, RESERVE, corrected_interval, mean_test, standard_error

POWER = 0.99
"""What is called detectable is found with this probability."""
_UNKNOWN = Interval(math.nan, -math.inf, math.inf)


@dataclass(frozen=True)
class Statistic:
    """One test of the estimates so far.

    `p_value` is that of this look alone, except where `anytime`: then of all looks up to now. `reserve` is
    what it is multiplied with before it decides. `value` is what was measured, with its 98 % interval,
    and `detectable` the smallest fault, relative to the declared value, that it finds with `POWER`. `part`
    is the array it is about. `seen` is after how many estimates an anytime test was decided. `lawless` is
    the p-value of the same question asked without the declared law, where `p_value` rests on one.
    """

    name: str
    p_value: float
    value: Interval
    detectable: float
    part: str | None = None
    anytime: bool = False
    reserve: float = RESERVE
    seen: int | None = None
    lawless: float | None = None


def scale(found: Replicates, declared: Declaration, alpha: float, single: bool) -> Statistic:
    """Is the mean along the gradient as long as the gradient?"""
    if declared.degrees is not None:
        exact = _exact("scale", declared.degrees * found.column("scale"), declared.degrees, alpha, single)
        with np.errstate(all="ignore"):
            return replace(exact, lawless=mean_test(found.column("scale"), 1.0, declared.slack).p_value)
    return _mean("scale", found.column("scale"), 1.0, declared.slack, alpha)


def parts(found: Replicates, declared: Declaration, alpha: float) -> Statistic | None:
    """The same for each array; the p-value is the smallest times the number of arrays (Bonferroni)."""
    names, columns = list(declared.arrays), found.column("parts")
    if len(names) < 2:
        return None
    each = [
        _mean("arrays", columns[:, i], 1.0, declared.slack, alpha / len(names)) for i in range(len(names))
    ]
    lengths = [float(np.linalg.norm(declared.gradient[declared.arrays[name]])) for name in names]
    whole = float(np.linalg.norm(declared.gradient))
    worst = min(range(len(names)), key=lambda i: each[i].p_value)
    return Statistic(
        "arrays",
        min(1.0, each[worst].p_value * len(names)),
        each[worst].value,
        max(test.detectable * length / whole for test, length in zip(each, lengths, strict=True)),
        part=names[worst],
    )


def variance(found: Replicates, declared: Declaration, alpha: float, single: bool) -> Statistic | None:
    """Is E|g_hat - g|^2 what was declared? Measured as a ratio; exact where the law is."""
    square, size = found.column("square"), np.size(declared.gradient)
    if declared.variance is None:
        return None
    if declared.variance == 0:
        return _mean("variance", 1 + square, 1.0, declared.slack, alpha)
    ratio = _mean("variance", square / declared.variance, 1.0, declared.slack, alpha)
    if declared.degrees is None or size < 2:
        return ratio
    scales = found.column("scale")
    with np.errstate(all="ignore"):
        across = declared.degrees * (square - (scales - 1) ** 2) / np.where(scales > 0, scales, np.nan)
    exact = _exact("variance", across, size - 1.0, alpha, single)
    return Statistic(
        "variance", exact.p_value, ratio.value, exact.detectable, None, exact.anytime, 1.0, exact.seen
    )


def repeats(found: Replicates, declared: Declaration, alpha: float) -> Statistic:
    """Do estimates of neighbouring seeds share their noise? Their product is zero on average if not.

    By Student's t as it is. The third moment of a product of independent vectors is a sum of squares of
    theirs, so products are skewed to the right if at all, and t is then too small above rather than too
    large. Their tails are long, and the sample skewness that a correction needs is mostly chance: with it,
    p-values of estimates from one sample each were not uniform.
    """
    from scipy import stats

    values = found.column("products")
    beyond, error = float(np.mean(values)) - declared.slack, standard_error(values)
    with np.errstate(all="ignore"):
        p_value = float(stats.t.sf(beyond / error, len(values) - 1)) if error > 0 else float(beyond <= 0)
        value = corrected_interval(values, confidence())
    return Statistic("repeats", p_value, value, declared.slack + _quantiles(alpha) * error)


def bias(found: Replicates, declared: Declaration, alpha: float) -> Statistic | None:
    """Is the mean off anywhere? Along the direction in which the earlier estimates were off."""
    along = found.column("along")
    return _positive("bias", along, declared, alpha) if len(along) >= FEWEST // 2 else None


def _positive(name: str, values: Any, declared: Declaration, alpha: float) -> Statistic:
    """Is the mean above zero? Only that speaks of a fault: one-sided."""
    with np.errstate(all="ignore"):
        tested = mean_test(values, 0.0, declared.slack)
        value = corrected_interval(values, confidence())
    return Statistic(name, tested.high, value, declared.slack + _quantiles(alpha) * tested.error)


def _mean(name: str, values: Any, expected: float, slack: float, alpha: float) -> Statistic:
    with np.errstate(all="ignore"):
        tested = mean_test(values, expected, slack)
        value = corrected_interval(values, confidence())
    half = slack + _quantiles(alpha / 2) * tested.error
    # A fault 1 + d spreads the values 1 + d times as widely.
    return Statistic(name, tested.p_value, value, half / (1 - half) if half < 1 else math.inf)


def _exact(name: str, values: Any, degrees: float, alpha: float, single: bool) -> Statistic:
    """`values` are chi-square with `degrees` degrees of freedom each."""
    number, total = len(values), float(np.sum(values))
    detectable = e_process.detectable_scale(number * degrees, alpha, POWER)
    value = chi_square.scale_interval(total, number * degrees, confidence()) if total > 0 else _UNKNOWN
    if single:
        p_value = chi_square.two_sided(total, number * degrees)
        return Statistic(name, p_value, value, detectable, reserve=1.0)
    totals, freedom = np.cumsum(values), degrees * np.arange(1, number + 1)
    p_value = e_process.anytime_p_value(totals, freedom)
    crossed = np.flatnonzero(e_process.log_e_value(totals, freedom) >= -math.log(alpha))
    seen = int(crossed[0]) + 1 if crossed.size else None
    return Statistic(name, p_value, value, detectable, anytime=True, reserve=1.0, seen=seen)


def _quantiles(alpha: float) -> float:
    """z of the level (with the reserve) and of the power: how many standard errors a fault must have."""
    from scipy import stats

    return float(stats.norm.isf(alpha / RESERVE) + stats.norm.ppf(POWER))
