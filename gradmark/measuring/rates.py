"""The rate at which an error falls with a number of samples, with its interval, and a test of a rate."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.interval import Interval
from gradmark.measuring.skew_corrected import mean_test
from gradmark.measuring.statistics import student_quantile


@dataclass(frozen=True)
class Rate:
    """The slope of log(root mean squared error) on log(samples), and the p-value of the slope that was
    expected."""

    slope: Interval
    p_value: float


def error_rate(samples: Any, squared_errors: Any, expected: float = -0.5, confidence: float = 0.95) -> Rate:
    """Fit the slope of .5 log(mean squared error) on log(`samples`) (L,), from `squared_errors` (R, L).

    Rows are independent repetitions. Squares are averaged over them before the logarithm, because the mean
    of logarithms has another slope (Jensen). The interval is the jackknife's over rows, with Student's t.
    The test is of the contrast sum over L of w_l samples_l^(-2 expected) error^2, w the centred log
    samples: whose mean is zero exactly where the mean square follows the expected rate, whatever its size.
    Needs two rows and two columns.

    >>> rate = error_rate([1, 10, 100], [[1.0, 0.1, 0.01], [2.0, 0.2, 0.02]])
    >>> round(rate.slope.value, 6), rate.p_value
    (-0.5, 1.0)
    """
    log = np.log(np.asarray(samples, dtype=np.float64))
    squares = np.asarray(squared_errors, dtype=np.float64)
    weights = log - np.mean(log)
    rows = len(squares)
    without = np.array([_slope(weights, np.delete(squares, row, axis=0)) for row in range(rows)])
    spread = math.sqrt((rows - 1) / rows * float(np.sum((without - np.mean(without)) ** 2)))
    half, slope = student_quantile(confidence, rows - 1) * spread, _slope(weights, squares)
    flat = squares * np.exp(-2 * expected * log)
    contrast = flat @ weights / (np.mean(flat) * np.linalg.norm(weights) or 1.0)
    rounding = len(log) * math.sqrt(float(np.finfo(np.float64).eps))
    return Rate(Interval(slope, slope - half, slope + half), mean_test(contrast, slack=rounding).p_value)


def _slope(weights: Any, squares: Any) -> float:
    with np.errstate(divide="ignore"):
        return float(weights @ (0.5 * np.log(np.mean(squares, axis=0))) / (weights @ weights))
