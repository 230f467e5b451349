"""Least squares for log t = log(a + b n^p), robust against outliers, and how well the data know p.

Written as log t = c + log((1 - w) + w (n / m)^p) with m the geometric mean of the sizes: c is the level at m,
and w = 1 / (1 + exp(-u)) the share of it that grows. All three are of order one whatever the units.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.statistics import fisher_quantile, student_quantile

STEEPEST = 6.0
"""Exponents are looked for between -STEEPEST and STEEPEST."""
_OUTLIER = 0.1
"""The log residual from which on soft L1 counts it linearly: ten per cent is no longer timing noise."""
_MOST = 36.0
"""The bound of |u|: exp(-36) is the rounding of float64, so a share of it cannot be told from nothing."""
_EXPONENTS = np.linspace(-STEEPEST, STEEPEST, 97)
_SHARES = np.concatenate([np.linspace(-12, 12, 25), [_MOST]])
_ROUNDING = 1e-9
"""The log residual that values following a law exactly may still have."""
_SHARPEST = 1e-7
"""How sharply an end of an interval is found at best; else to a hundredth of its distance."""


@dataclass(frozen=True)
class Data:
    """Sizes and values as the fit sees them: x = log(n / m), y = log t."""

    x: Any
    y: Any
    middle: float

    @property
    def freedom(self) -> int:
        """Degrees of freedom left by c, u and p."""
        return int(self.y.size) - 3


@dataclass(frozen=True)
class Law:
    """c, u and p with their soft-L1 cost, which is the sum of squared residuals while they are small."""

    level: float
    share: float
    exponent: float
    cost: float

    def overhead(self) -> float:
        """a = exp(c) (1 - w)."""
        return math.exp(self.level) * (0.0 if self.share >= _MOST else 1 / (1 + math.exp(self.share)))

    def factor(self, data: Data) -> float:
        """b = exp(c) w / m^p."""
        return float(math.exp(self.level) / (1 + math.exp(-self.share)) / data.middle**self.exponent)

    def residuals(self, data: Data) -> Any:
        """log(t / fitted), shape (sizes,)."""
        return data.y - self.level - _growth(data.x, self.share, self.exponent)


def data_of(sizes: Any, values: Any) -> Data:
    """The data in the fit's own units."""
    middle = math.exp(float(np.mean(np.log(sizes))))
    return Data(np.log(sizes / middle), np.log(values), middle)


def fit(data: Data) -> Law:
    """The law of least cost: the best of a grid of exponents and shares, refined."""
    start = min((_start(data, float(p)) for p in _EXPONENTS), key=lambda law: law.cost)
    return _refined(data, start, free_exponent=True)


def interval(data: Data, best: Law, confidence: float) -> tuple[float, float]:
    """Every p for which some c and u fit nearly as well as the best law: cost <= least (1 + F / (k - 3)).

    F is the quantile of F(1, k - 3), the square of Student's t: 161 for four sizes, 4.8 for twelve. An end at
    -STEEPEST or STEEPEST means that the data do not bound p on that side.
    """
    least = max(best.cost, data.y.size * _ROUNDING**2)
    limit = least * (1 + student_quantile(confidence, data.freedom) ** 2 / data.freedom)
    low, high = (_edge(data, best.exponent, limit, side) for side in (-1, 1))
    return low, high


def is_constant(data: Data, best: Law, confidence: float) -> bool:
    """Whether a constant fits no worse than noise explains.

    An F test of the two parameters of growth must not reject it, and Student's test of a slope neither: with
    one degree of freedom the first alone is blind to growth by factors.
    """
    from scipy import stats

    if stats.linregress(data.x, data.y).pvalue <= 1 - confidence:
        return False
    constant = _refined(data, Law(float(np.median(data.y)), -_MOST, 0.0, math.inf), free_exponent=False)
    gain = (constant.cost - best.cost) / 2
    return bool(gain <= fisher_quantile(confidence, 2, data.freedom) * best.cost / data.freedom)


def _edge(data: Data, inside: float, limit: float, side: int) -> float:
    """Where the profile cost crosses `limit`: steps that grow until it has, then a root, rounded outward."""
    from scipy.optimize import brentq

    def excess(p: float) -> float:
        return math.log(_profile_cost(data, p) / limit)

    step, near = 1e-4, inside
    while True:
        far = inside + side * step
        if abs(far) >= STEEPEST:
            far = side * STEEPEST
            if excess(far) <= 0:
                return far
            break
        if excess(far) > 0:
            break
        near, step = far, 4 * step
    if excess(near) >= 0:
        return near
    sharp = max(_SHARPEST, abs(far - inside) / 100)
    return float(brentq(excess, near, far, xtol=sharp)) + side * sharp


def _profile_cost(data: Data, p: float) -> float:
    cost = _refined(data, _start(data, p), free_exponent=False).cost
    return max(cost, float(data.y.size * _ROUNDING**2))


def _start(data: Data, p: float) -> Law:
    """The best share of a grid for exponent `p`, each with the median residual as its level."""
    residuals = data.y - _growth(data.x, _SHARES[:, None], p)
    level = np.median(residuals, axis=1)
    costs = _soft_l1(residuals - level[:, None])
    best = int(np.argmin(costs))
    return Law(float(level[best]), float(_SHARES[best]), p, float(costs[best]))


def _refined(data: Data, start: Law, *, free_exponent: bool) -> Law:
    from scipy.optimize import least_squares

    count = 3 if free_exponent else 2
    bounds = [math.inf, _MOST, STEEPEST][:count]

    def unpacked(theta: Any) -> tuple[float, float, float]:
        return theta[0], theta[1], theta[2] if free_exponent else start.exponent

    def residuals(theta: Any) -> Any:
        level, share, p = unpacked(theta)
        return data.y - level - _growth(data.x, share, p)

    def jacobian(theta: Any) -> Any:
        _, share, p = unpacked(theta)
        return -_derivatives(data.x, share, p)[:, :count]

    found = least_squares(
        residuals,
        np.clip([start.level, start.share, start.exponent][:count], [-b for b in bounds], bounds),
        jacobian,
        bounds=([-b for b in bounds], bounds),
        loss="soft_l1",
        f_scale=_OUTLIER,
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-14,
    )
    level, share, p = (float(number) for number in unpacked(found.x))
    return Law(level, share, p, 2 * float(found.cost))


def _growth(x: Any, share: Any, p: float) -> Any:
    """log((1 - w) + w exp(p x))."""
    return np.logaddexp(0, share + p * x) - np.logaddexp(0, share)


def _derivatives(x: Any, share: float, p: float) -> Any:
    """The derivatives of c + _growth with respect to c, u and p, shape (sizes, 3)."""
    grown = 1 / (1 + np.exp(-(share + p * x)))
    return np.stack([np.ones_like(x), grown - 1 / (1 + np.exp(-share)), grown * x], axis=1)


def _soft_l1(residuals: Any) -> Any:
    return np.sum(2 * _OUTLIER**2 * (np.sqrt(1 + (residuals / _OUTLIER) ** 2) - 1), axis=-1)
