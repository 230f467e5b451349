"""The statistics that measuring needs: intervals for a mean, a root mean square, a median and a ratio."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradmark.measuring.interval import Interval
from gradmark.random import generator

_RESAMPLES = 2000
"""Enough that the ends of a 95 % interval move by less than a tenth of its width between seeds."""
_FEWEST_TO_RESAMPLE = 6
"""The fewest values whose median has a distribution-free 95 % interval: 1 - 2^(1 - n) > 0.95."""


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent `values` with Student's t interval (Student 1908).

    One value has an infinite interval: it says nothing of its own spread.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(np.mean(numbers))
    if numbers.size < 2:
        return Interval(mean, -math.inf, math.inf)
    half = student_quantile(confidence, numbers.size - 1) * float(np.std(numbers, ddof=1))
    half /= math.sqrt(numbers.size)
    return Interval(mean, mean - half, mean + half)


def root_mean_square_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """sqrt(mean of squares) of non-negative `values`, from the t interval of the mean square.

    Squares are averaged, not logarithms or values: the mean of an error's logarithm is not the logarithm of
    its mean (Jensen), and only the mean square falls as 1/samples.
    """
    square = mean_interval(np.square(np.asarray(values, dtype=np.float64)).tolist(), confidence)
    return Interval(
        math.sqrt(square.value), math.sqrt(max(square.low, 0.0)), math.sqrt(max(square.high, 0.0))
    )


def median_interval(values: Sequence[float], confidence: float = 0.95, seed: int = 0) -> Interval:
    """The median of independent `values` with an interval.

    From six values on, the percentile bootstrap (Efron 1979) with the level widened for small samples by
    sqrt(n / (n - 1)) t instead of z (Hesterberg 2015, "What teachers should know about the bootstrap").
    Fewer have no distribution-free interval of 95 % (1 - 2^(1 - n) is less): they get the t interval about
    their median, and a single value an infinite one.
    """
    numbers = np.asarray(values, dtype=np.float64)
    median = float(np.median(numbers))
    if numbers.size < _FEWEST_TO_RESAMPLE:
        mean = mean_interval(values, confidence)
        half = mean.high - mean.value
        return Interval(median, median - half, median + half)
    low, high = np.quantile(_resampled_medians(numbers, seed), _widened_levels(confidence, numbers.size))
    return Interval(median, float(low), float(high))


def ratio_interval(ratios: Sequence[float], confidence: float = 0.95, seed: int = 0) -> Interval:
    """The median of paired, positive `ratios`, its interval taken on their logarithms.

    Logarithms make a ratio and its inverse the same statement. One ratio has the interval from 0 to infinity.
    """
    log = median_interval(np.log(np.asarray(ratios, dtype=np.float64)).tolist(), confidence, seed)
    return Interval(math.exp(log.value), math.exp(log.low), math.exp(log.high))


def student_quantile(confidence: float, degrees: float) -> float:
    """The two-sided quantile of Student's t with `degrees` degrees of freedom: 12.7 for 95 % and 1."""
    from scipy import stats

    return float(stats.t.ppf((1 + confidence) / 2, degrees))


def fisher_quantile(confidence: float, extra: int, degrees: float) -> float:
    """The quantile of F(extra, degrees): how much `extra` useless parameters may improve a fit."""
    from scipy import stats

    return float(stats.f.ppf(confidence, extra, degrees))


def _resampled_medians(numbers: Any, seed: int) -> Any:
    random = generator(seed, "bootstrap")
    return np.median(numbers[random.integers(0, numbers.size, (_RESAMPLES, numbers.size))], axis=1)


def _widened_levels(confidence: float, count: int) -> tuple[float, float]:
    from scipy import stats

    widened = student_quantile(confidence, count - 1) * math.sqrt(count / (count - 1))
    tail = float(stats.norm.cdf(-widened))
    return tail, 1 - tail
