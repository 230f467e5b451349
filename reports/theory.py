"""What theory predicts, in closed form: the lines drawn beside the measurements.

Notation: P parameters, M samples (antithetic pairs or directions), u the unit of the dtype
(`numpy.finfo.eps`), h a step, p the order of a difference.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from gradmark import dtypes

Floats = NDArray[np.float64]

ASYMPTOTIC = 0.1
"""Relative errors above this are left out of a fit: there neither branch is its leading term alone."""


def epsilon(dtype: str) -> float | None:
    """The spacing of numbers at one, u; None for a dtype that gradmark does not know."""
    return dtypes.epsilon(dtype) if dtype in {*chain(*dtypes.DTYPES.values())} else None


def cosine(samples: Floats, variance_factor: float) -> Floats:
    """Expected cosine of an unbiased estimate, sqrt(M / (M + v)), on a linear loss.

    v = P + 1 for Gaussian directions (antithetic pairs and forward gradients), P - 1 for signs: the fourth
    moment of the noise gives E|g_hat - g|^2 = v |g|^2 / M, and the cosine follows for large P.
    """
    return np.sqrt(samples / (samples + variance_factor))


def sampling_error(samples: Floats, variance_factor: float) -> Floats:
    """Expected relative error of the same estimate (root of the mean square), sqrt(v / M)."""
    return np.sqrt(variance_factor / samples)


def variance_factor(samples: float, predicted_cosine: float) -> float:
    """The v that a method claims, from the cosine it claims at M samples: v = M (1 / cos^2 - 1)."""
    return samples * (1.0 / predicted_cosine**2 - 1.0)


def rule_of_thumb_step(order: int, unit: float, scale: float = 1.0) -> float:
    """h = u^(1 / (p + 1)) times the scale of the parameters: square root for order 1, cube root for 2.

    It minimises h^p + u / h up to a factor near one, as if the loss and its derivatives were all of size one.
    """
    return float(unit ** (1.0 / (order + 1)) * scale)


@dataclass(frozen=True)
class Branches:
    """The two sources of a difference's relative error: truncation C h^p and rounding R u / h."""

    order: int
    truncation: float
    rounding: float

    def error(self, step: Floats, unit: float) -> Floats:
        """C h^p + R u / h."""
        return self.truncation * step**self.order + self.rounding * unit / step

    def best_step(self, unit: float) -> float:
        """Where the sum is least: h* = (R u / (p C))^(1 / (p + 1))."""
        return float((self.rounding * unit / (self.order * self.truncation)) ** (1.0 / (self.order + 1)))


def fit_branches(order: int, step: Floats, error: Floats, unit: float) -> Branches | None:
    """C and R from a measured sweep by least squares of the relative residuals, both non-negative.

    Points where the error is above `ASYMPTOTIC` are left out. None where one branch is nowhere the larger. R
    absorbs the noise of the loss in units of u and the square root of P; C the higher derivative over the
    gradient. With C and R from one dtype, the curve of another follows without a free number.
    """
    use = (error > 0) & (error < ASYMPTOTIC)
    if use.sum() < 3:
        return None
    rows = np.stack([step[use] ** order / error[use], unit / step[use] / error[use]], axis=1)
    scale = rows.max(axis=0)  # The columns differ by many decades.
    constants = nnls(rows / scale, np.ones(int(use.sum())))[0] / scale
    found = Branches(order, float(constants[0]), float(constants[1]))
    larger = found.truncation * step[use] ** order > found.rounding * unit / step[use]
    return found if larger.any() and not larger.all() else None


def through(sizes: Floats, values: Floats, exponent: float, at: Floats) -> Floats:
    """The line c n^exponent on log axes through the middle (geometric mean) of the points, evaluated `at`."""
    factor = np.exp(np.mean(np.log(values) - exponent * np.log(sizes)))
    return np.asarray(factor * at**exponent)
