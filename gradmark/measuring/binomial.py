"""The exact limits of a probability, from how often something happened."""

import math

from gradmark.measuring.interval import Interval


def binomial_interval(happened: int, trials: int, confidence: float = 0.95) -> Interval:
    """`happened` / `trials` with the interval of Clopper and Pearson (Biometrika 26:404, 1934), which
    never lies.

    >>> binomial_interval(0, 100, confidence=0.95).low
    0.0
    """
    from scipy import stats

    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if happened == 0 else float(stats.beta.ppf(tail, happened, trials - happened + 1))
    high = 1.0 if happened == trials else float(stats.beta.isf(tail, happened + 1, trials - happened))
    return Interval(happened / trials, low, high)
