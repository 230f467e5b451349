"""Distances between vectors, in longdouble, that neither overflow nor divide by zero."""

import math
from typing import Any

import numpy as np

from gradmark.arrays import epsilon

_LEAST_EXPONENT = {"bfloat16": -126, "float16": -14, "float32": -126, "float64": -1022, "longdouble": -16382}
"""The exponent of the smallest normal number: below it the distance between numbers stays the same."""


def norm(vector: Any) -> float:
    """The 2-norm of all entries, scaled by the largest so that its square cannot overflow or vanish."""
    largest = np.max(np.abs(vector))
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    return float(largest * np.sqrt(np.sum(np.square(vector / largest))))


def ratio(one: float, other: float) -> float:
    """one / other; 1 for two zeros, infinite where only `other` is zero."""
    if other == 0:
        return 1.0 if one == 0 else math.inf
    return one / other


def cosine(g: Any, r: Any) -> float:
    """<g, r> / (||g|| ||r||); 1 for two zeros, 0 where one of them is zero."""
    sizes = np.max(np.abs(g)), np.max(np.abs(r))
    if sizes[0] == 0 or sizes[1] == 0:
        return 1.0 if sizes[0] == sizes[1] else 0.0
    g, r = g / sizes[0], r / sizes[1]
    return float(np.clip(np.sum(g * r) / np.sqrt(np.sum(g * g) * np.sum(r * r)), -1, 1))


def correct_digits(relative: float) -> float:
    """-log10 of a relative error, at least 0: the decimal digits that are right."""
    return max(0.0, -math.log10(relative))


def ulp_distance(g: Any, r: Any, uncertainty: float, dtype: str) -> float:
    """The largest |g_i - r_i| beyond the `uncertainty` of r, in units of the last place of `dtype` at r_i."""
    _, exponent = np.frexp(np.asarray(r, np.longdouble))
    # frexp's mantissa lies in [1/2, 1): the unit of the last place of r is eps 2^(exponent - 1).
    exponent = np.where(r == 0, _LEAST_EXPONENT[dtype], np.maximum(exponent - 1, _LEAST_EXPONENT[dtype]))
    unit = np.ldexp(np.longdouble(epsilon(dtype)), exponent)
    return float(np.max(np.maximum(np.abs(g - r) - uncertainty, 0) / unit))
