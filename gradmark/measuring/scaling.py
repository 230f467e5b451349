"""The law by which a cost grows: t = a + b n^p, with an interval for the exponent p."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.errors import UsageError
from gradmark.measuring import profile_likelihood as likelihood

FEWEST_SIZES = 4
"""Three unknowns, and one degree of freedom left to say how well they are known."""


@dataclass(frozen=True)
class PowerLaw:
    """t = `overhead` + `factor` * n^`exponent`, the exponent between `low` and `high`.

    `naive_slope` is that of a straight line through log t against log n, which takes the overhead for slower
    growth. `residuals` are log(t / fitted) at each size. `constant` says that no growth was seen beyond the
    noise: the exponent is then 0 and the factor the constant, but the interval holds every exponent, because
    an overhead may hide any growth; only values that are all equal, as counts are, have the interval [0, 0].
    An end at -6 or 6 means that the data don't bound the exponent on that side.
    """

    overhead: float
    factor: float
    exponent: float
    low: float
    high: float
    naive_slope: float
    residuals: tuple[float, ...]
    constant: bool = False

    def at(self, size: float) -> float:
        """The fitted value at `size`, in the unit of the values."""
        return float(self.overhead + self.factor * size**self.exponent)


def fit_power_law(sizes: Sequence[float], values: Sequence[float], *, confidence: float = 0.95) -> PowerLaw:
    """Fit t = a + b n^p, a >= 0 and b > 0, to positive `values` at positive `sizes`.

    Log residuals are made small in the soft-L1 sense, because costs scatter by factors and now and then by a
    large one. The interval is that of the profile likelihood: every p for which the best a and b fit the data
    no worse than noise explains (Bates and Watts 1988, section 6.1), with F quantiles, which few sizes make
    wide. Values that are all equal, such as counts, have exponent 0 exactly.

    Raises `UsageError` for fewer than four distinct sizes, or numbers that are not positive and finite.

    >>> law = fit_power_law([1, 10, 100, 1000, 10_000], [12.0, 30.0, 210.0, 2010.0, 20_010.0])
    >>> round(law.overhead, 3), round(law.factor, 3), round(law.exponent, 3), round(law.naive_slope, 2)
    (10.0, 2.0, 1.0, 0.83)
    """
    n, t = _checked(sizes, values)
    if np.all(t == t[0]):
        return PowerLaw(0.0, float(t[0]), 0.0, 0.0, 0.0, 0.0, (0.0,) * t.size, constant=True)
    naive = float(np.polyfit(np.log(n), np.log(t), 1)[0])
    data = likelihood.data_of(n, t)
    law = likelihood.fit(data)
    if likelihood.is_constant(data, law, confidence):
        middle, most = float(np.median(data.y)), likelihood.STEEPEST
        residuals = tuple((data.y - middle).tolist())
        return PowerLaw(0.0, math.exp(middle), 0.0, -most, most, naive, residuals, constant=True)
    low, high = likelihood.interval(data, law, confidence)
    residuals = tuple(law.residuals(data).tolist())
    return PowerLaw(law.overhead(), law.factor(data), law.exponent, low, high, naive, residuals)


def _checked(sizes: Sequence[float], values: Sequence[float]) -> tuple[Any, Any]:
    n, t = np.asarray(sizes, np.float64), np.asarray(values, np.float64)
    if n.ndim != 1 or n.shape != t.shape:
        raise UsageError(f"{n.size} sizes and {t.size} values: give one value for each size.")
    if not (np.all(np.isfinite(n)) and np.all(np.isfinite(t)) and np.all(n > 0) and np.all(t > 0)):
        raise UsageError("sizes and values must be positive and finite: leave out the cases that failed.")
    distinct = np.unique(n).size
    if distinct < FEWEST_SIZES:
        raise UsageError(
            f"{distinct} distinct sizes cannot tell overhead, factor and exponent apart: measure at least "
            f"{FEWEST_SIZES}."
        )
    return n, t
