"""The exact laws of an estimate made with normal directions on a linear loss.

g_hat = 1/m sum of (g . e_i) e_i, e_i ~ N(0, I), i = 1..m, is S g with a Wishart matrix S of m degrees of
freedom:

    m s ~ chi-square_m,              s = <g_hat, g> / |g|^2                (the scale)
    m^2 |g_hat - s g|^2 / (m s |g|^2) ~ chi-square_(P-1), independent of s   (the part across the gradient)

because, given the slopes c_i = g . e_i, what is left of the directions is normal and across g. Sums over
independent estimates are chi-square again, the degrees of freedom added. Antithetic pairs have m = M pairs,
forward gradients m = directions, one-sided moves about the mean of the N losses m = N - 1.
"""

import math
from collections.abc import Callable

import numpy as np

from gradmark.measuring.interval import Interval

_SIZES = (1, 2, 7, 50, 1000)
"""Sizes at which a declared variance is compared with the Wishart law's: few and many parameters."""
_SAME = math.sqrt(float(np.finfo(np.float64).eps))
"""Two formulas of the same number differ by rounding only."""


def degrees_of_freedom(variance_factor: Callable[[int], float], samples: float) -> float | None:
    """m, if the declared variance is that of normal directions: v(P)/M = (P + 1)/m for every P; else None.

    >>> degrees_of_freedom(lambda size: size + 1, samples=16), degrees_of_freedom(lambda size: size - 1, 16)
    (16.0, None)
    """
    degrees = [samples * (size + 1) / variance_factor(size) for size in _SIZES if variance_factor(size) > 0]
    if len(degrees) < len(_SIZES) or not np.allclose(
        degrees, degrees[0], rtol=len(_SIZES) * math.sqrt(_UNIT)
    ):
        return None
    return float(degrees[0])


def two_sided(total: float, degrees: float) -> float:
    """The two-sided p-value of a `total` that should be chi-square with `degrees` degrees of freedom."""
    from scipy import stats

    if not math.isfinite(total):
        return 0.0
    return min(1.0, 2 * float(min(stats.chi2.cdf(total, degrees), stats.chi2.sf(total, degrees))))


def scale_interval(total: float, degrees: float, confidence: float = 0.95) -> Interval:
    """c with its interval, where `total` / c is chi-square with `degrees` degrees of freedom.

    >>> scale_interval(100.0, 100.0).value
    1.0
    """
    from scipy import stats

    low, high = (
        float(stats.chi2.ppf(level, degrees)) for level in ((1 + confidence) / 2, (1 - confidence) / 2)
    )
    return Interval(total / degrees, total / low, total / high if high > 0 else math.inf)


_UNIT = float(np.finfo(np.float64).eps)
