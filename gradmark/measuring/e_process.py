"""A test that may be looked at after every number: is a chi-square scale 1?

For X chi-square with n degrees of freedom and psi(l) = -log(1 - 2 l)/2 - l, the exact cumulant function of
a centred chi-square with one, exp(l (X - n) - n psi(l)) = t^(n/2) exp((1 - t) X / 2), t = 1 - 2 l, is a
martingale in n with mean 1. So is its mixture over t ~ Gamma(a, rate b), in closed form

    E_n = b^a Gamma(n/2 + a) / Gamma(a) * exp(X/2) / (X/2 + b)^(n/2 + a),

and P(E_n >= 1/alpha for any n) <= alpha (Ville). Mixtures: Robbins 1970; with psi for a sub-gamma or exact
law: Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
sequences", Annals of Statistics 49:1055, 2021. 1/max E is a p-value at any time: at most uniform, not
uniform.
"""

import math
from typing import Any

import numpy as np

_SHAPE = 0.5
"""a = b: the mixture lies about t = 1, half of it within a factor of about 4; it costs log(n)/2 beside the
best l."""


def log_e_value(total: Any, degrees: Any) -> Any:
    """log E for a `total` of `degrees` degrees of freedom; -inf..inf, elementwise.

    A total below zero or NaN, impossible for a chi-square number, gives infinity.

    >>> bool(log_e_value(100.0, 100.0) < 0 < log_e_value(300.0, 100.0))
    True
    """
    from scipy.special import gammaln

    total, degrees = np.asarray(total, dtype=np.float64), np.asarray(degrees, dtype=np.float64)
    possible = total >= 0
    half, shape = np.where(possible, total, 0.0) / 2, degrees / 2 + _SHAPE
    constant = _SHAPE * math.log(_SHAPE) - math.lgamma(_SHAPE)
    return np.where(possible, constant + gammaln(shape) + half - shape * np.log(half + _SHAPE), np.inf)


def anytime_p_value(totals: Any, degrees: Any) -> float:
    """min(1, 1/max E) over the running `totals` and their `degrees`, both of shape (number of looks,)."""
    return math.exp(min(0.0, -float(np.max(log_e_value(totals, degrees)))))


def detectable_scale(degrees: float, alpha: float, power: float = 0.99) -> float:
    """The smallest d such that scales 1 + d and 1 - d are both found with probability `power` at `degrees`.

    It looks at the last number only, so that what stops earlier is more.
    """
    from scipy import stats

    low, high = _boundary(degrees, alpha)
    above = high / float(stats.chi2.ppf(1 - power, degrees)) - 1
    below = 1 - low / float(stats.chi2.ppf(power, degrees))
    return max(above, below)


def _boundary(degrees: float, alpha: float) -> tuple[float, float]:
    """The totals below and above `degrees` at which E is 1/alpha; 0 where no small total suffices."""
    from scipy import optimize

    def beyond(total: float) -> float:
        return float(log_e_value(total, degrees)) + math.log(alpha)

    far = degrees
    while beyond(far) < 0:
        far *= 2
    high = float(optimize.brentq(beyond, degrees, far)) if far > degrees else degrees
    return (float(optimize.brentq(beyond, 0.0, degrees)) if beyond(0.0) > 0 else 0.0), high
