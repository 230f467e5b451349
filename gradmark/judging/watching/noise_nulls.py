"""The laws of test statistics of search noise where it is what it is declared to be."""

import math
from typing import Any

import numpy as np

from gradmark.measuring.chi_square import two_sided
from gradmark.noise_laws import NoiseLaw

ALIKE = 0.01
"""A cosine nearer to 1 than this is a repetition, whatever the law."""


def sidak(p_value: float, tests: int) -> float:
    """The p-value of the smallest of so many independent ones: 1 - (1 - p)^m.

    >>> sidak(0.5, 2)
    0.75
    """
    return -math.expm1(tests * math.log1p(-p_value)) if p_value < 1 else 1.0


def of_squares(rows: Any, law: NoiseLaw) -> tuple[float, float]:
    """The p-value of the mean square, and its standard error."""
    number = rows.size
    error = math.sqrt((law.fourth(rows.shape[1]) - 1) / number)
    total = float(np.sum(rows**2))
    if law.name == "gaussian":
        return two_sided(total, number), error
    return math.erfc(abs(total / number - 1) / error / math.sqrt(2)), error


def of_cosine(value: float, number: int, law: NoiseLaw) -> float:
    """P(|r| >= value) for two independent vectors of `number` numbers."""
    from scipy import stats

    if law.signs:
        agreeing = math.ceil(number * (1 + value) / 2 - ALIKE)
        return min(1.0, 2 * float(stats.binom.sf(agreeing - 1, number, 0.5)))
    return float(stats.beta.sf(min(value, 1.0) ** 2, 0.5, (number - 1) / 2))


def of_means(values: Any, expected: float) -> tuple[float, float]:
    """Student's two-sided p-value of independent means, and their standard error."""
    from scipy import stats

    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    t = (float(np.mean(values)) - expected) / error if error > 0 else math.inf
    return 2 * float(stats.t.sf(abs(t), len(values) - 1)), error


def quantile(alpha: float) -> float:
    """The normal quantile of a two-sided test at `alpha`."""
    from scipy import stats

    return float(stats.norm.isf(alpha / 2))
