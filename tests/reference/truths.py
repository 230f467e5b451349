"""Gradients of the test functions to fifty digits, in decimal arithmetic: no float takes part."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, getcontext
from itertools import pairwise
from typing import Any

import numpy as np

getcontext().prec = 50
Numbers = Sequence[Decimal]


def decimals(array: Any) -> list[Decimal]:
    """The floats of `array`, exactly."""
    return [Decimal(float(number)) for number in np.ravel(array)]


def rosenbrock(x: Numbers) -> list[Decimal]:
    """Terms of 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, differentiated one by one."""
    gradient = [Decimal(0)] * len(x)
    for i, (left, right) in enumerate(pairwise(x)):
        gradient[i] += -400 * left * (right - left * left) - 2 * (1 - left)
        gradient[i + 1] += 200 * (right - left * left)
    return gradient


def quadratic(x: Numbers, condition: int = 10_000) -> list[Decimal]:
    """H D H x with H = I - 2/P 1 1^T; the problem defines D, from 1 to 1/condition, by float64 numbers."""
    size = len(x)

    def reflected(v: Numbers) -> list[Decimal]:
        mean = sum(v) / size
        return [number - 2 * mean for number in v]

    spectrum = decimals(np.exp(np.arange(size) * (-math.log(condition) / max(size - 1, 1))))
    return reflected([d * v for d, v in zip(spectrum, reflected(x), strict=True)])


def log_sum_exp(x: Numbers) -> list[Decimal]:
    """softmax(x)."""
    powers = [(number - max(x)).exp() for number in x]
    return [power / sum(powers) for power in powers]


TRUTHS: dict[str, Callable[[Numbers], list[Decimal]]] = {
    "rosenbrock": rosenbrock,
    "quadratic": quadratic,
    "log_sum_exp": log_sum_exp,
}


def distance(found: Any, truth: Numbers) -> float:
    """The 2-norm of found - truth, the longdoubles of `found` taken exactly."""
    total = Decimal(0)
    for number, true in zip(np.ravel(found), truth, strict=True):
        total += (_exact(np.longdouble(number)) - true) ** 2
    return float(total.sqrt())


def _exact(number: np.longdouble) -> Decimal:
    """A longdouble as the sum of two float64, which hold its 64 bits."""
    high = float(number)
    return Decimal(high) + Decimal(float(number - np.longdouble(high)))
