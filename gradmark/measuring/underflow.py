"""How much of a gradient has become zero because its dtype ends: underflow, by array."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.errors import UsageError

_HALF = {"float16": 2.0**-25, "bfloat16": 2.0**-134, "float32": 2.0**-150}
"""Half of the smallest subnormal number: what is nearer to zero is rounded to zero (and a tie as well)."""


def underflowed(estimate: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, float]:
    """For each array the fraction of all its entries that are zero in `estimate` and not in `reference`.

    Both hold named arrays of any backend. Raises `UsageError` where names or shapes differ.

    >>> underflowed({"w": np.array([0.0, 1.0, 0.0, 0.0])}, {"w": np.array([1e-9, 1.0, 2e-9, 0.0])})
    {'w': 0.5}
    """
    found = {name: np.asarray(to_numpy(array)) for name, array in estimate.items()}
    known = {name: np.asarray(to_numpy(array)) for name, array in reference.items()}
    if {name: a.shape for name, a in found.items()} != {name: a.shape for name, a in known.items()}:
        raise UsageError("`estimate` and `reference` must have the same names and shapes.")
    return {name: float(np.mean((found[name] == 0) & (known[name] != 0))) for name in known}


def underflow_of_normal(deviation: float, scale: float = 1.0, dtype: str = "float16") -> float:
    """The fraction of N(0, `deviation`^2) numbers that `dtype` makes zero after multiplication by `scale`.

    P(|x| <= h / scale) = erf(h / (s S sqrt 2)), h being half of the smallest subnormal number: 2^-25 for
    float16.

    >>> round(underflow_of_normal(1e-8), 3), round(underflow_of_normal(1e-8, scale=2.0**16), 6)
    (0.997, 3.6e-05)
    """
    return math.erf(_HALF[dtype] / (deviation * scale * math.sqrt(2)))
