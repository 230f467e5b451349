"""A test and an interval for the mean of skewed numbers whose law is unknown.

For skewed numbers Student's t is wrong by orders of magnitude in the far tail: for chi-square numbers with
one degree of freedom, 256 of them, the left tail at 1e-6 holds 1e-4. Hall's transformation takes the
skewness out:

    g(t) = sqrt(n)/c ((1 + c t / (3 sqrt(n)))^3 - 1) + c / (6 sqrt(n)),   c the sample skewness,

which is t + c (t^2/3 + 1/6)/sqrt(n) + c^2 t^3/(27 n), a monotone function (P. Hall, "On the removal of
skewness by transformation", Journal of the Royal Statistical Society B 54:221, 1992).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.interval import Interval

FEWEST = 256
"""From so many numbers on the far tail can be relied on (see `RESERVE`); with 64 it is
wrong by a factor of 20 at 1e-6."""
RESERVE = 5.0
"""How much more often a tail may be hit than the corrected test says. Importance sampling of means of
chi-square numbers gave at most 1.7 at 1e-6 and 4.3 at 1e-9 with one degree of freedom and 256 numbers, 1.2
and 1.7 with 32."""
TOO_SKEW = 0.2
"""Where skewness/sqrt(n) is larger, a few numbers make up the mean and the correction says nothing: such a
sample rejects no mean (p-values 1). Chi-square with one degree of freedom has 0.18 with 256 numbers."""
_HARDLY_SKEW = 1e-6
"""Below this skewness the transformation is the identity to rounding, and its formula divides by it."""


@dataclass(frozen=True)
class MeanTest:
    """The test of a mean. `low` and `high` are the one-sided p-values of "it is too small" and "too
    large"."""

    mean: float
    error: float
    low: float
    high: float

    @property
    def p_value(self) -> float:
        """The two-sided p-value."""
        return min(1.0, 2 * min(self.low, self.high))


def mean_test(values: Any, expected: float = 0.0, slack: float = 0.0) -> MeanTest:
    """Test that independent `values` (n,) have a mean within `slack` of `expected`.

    `error` is the standard error. With `slack` the p-values are those of the nearer end, and at most
    uniform. Values that are all equal have no spread: they are within the slack (p-values 1) or not (0).

    >>> round(mean_test([0.0, 1.0, 2.0, 3.0], expected=1.5).p_value, 6)
    1.0
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean, error = float(np.mean(numbers)), standard_error(numbers)
    below, above = mean - (expected - slack), mean - (expected + slack)
    return MeanTest(mean, error, _tail(numbers, below, error, -1), _tail(numbers, above, error, 1))


def corrected_interval(values: Any, confidence: float = 0.95) -> Interval:
    """The mean of independent `values` with the interval that the corrected test does not reject."""
    numbers = np.asarray(values, dtype=np.float64)
    mean, error = float(np.mean(numbers)), standard_error(numbers)
    if numbers.size < 2:
        return Interval(mean, -math.inf, math.inf)
    from scipy import stats

    quantile = float(stats.t.ppf((1 + confidence) / 2, numbers.size - 1))
    ends = [_straightened(end, _skewness(numbers), numbers.size) for end in (quantile, -quantile)]
    return Interval(mean, mean - error * ends[0], mean - error * ends[1])


def standard_error(values: Any) -> float:
    """The standard error of the mean of `values` (n,); infinite for one value."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.inf


def too_skewed(values: Any) -> bool:
    """Whether so few of the `values` make up their mean that it cannot be tested (`TOO_SKEW`)."""
    return abs(_skewness(np.asarray(values, dtype=np.float64))) > TOO_SKEW * math.sqrt(len(values))


def _tail(numbers: Any, difference: float, error: float, side: int) -> float:
    """P(the corrected t is beyond what was found, on one side)."""
    if error == 0:
        return 0.0 if side * difference > 0 else 1.0
    if not math.isfinite(error) or not math.isfinite(difference):
        return 1.0 if math.isinf(error) and math.isfinite(difference) else 0.0
    from scipy import stats

    if too_skewed(numbers):
        return 1.0
    corrected = _bent(difference / error, _skewness(numbers), numbers.size)
    return float(stats.t.sf(side * corrected, numbers.size - 1))


def _skewness(numbers: Any) -> float:
    centred = numbers - np.mean(numbers)
    square = float(np.mean(centred**2))
    return float(np.mean(centred**3)) / square**1.5 if square > 0 else 0.0


def _bent(t: float, skewness: float, number: int) -> float:
    """g(t)."""
    root = math.sqrt(number)
    if abs(skewness) < _HARDLY_SKEW:
        return t
    return root / skewness * ((1 + skewness * t / (3 * root)) ** 3 - 1) + skewness / (6 * root)


def _straightened(bent: float, skewness: float, number: int) -> float:
    """The inverse of g."""
    root = math.sqrt(number)
    if abs(skewness) < _HARDLY_SKEW:
        return bent
    cube = 1 + skewness / root * (bent - skewness / (6 * root))
    return 3 * root / skewness * (math.copysign(abs(cube) ** (1 / 3), cube) - 1)
