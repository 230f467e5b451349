"""A step by bisection on a testing ratio, which needs no derivative.

Shi, Xie, Xuan and Nocedal (2021, "Adaptive finite-difference interval estimation for noisy derivative-free
optimization"). The difference S(h) is compared with S(a h): r(h) = |S(h) - S(a h)| over what noise of size e
makes of it is small where noise rules and large where truncation does. Forward: a = 4 and
r = |f(x + 4h) - 4 f(x + h) + 3 f(x)| / (8 e); central: a = 3 and
r = |f(x + 3h) - 3 f(x + h) + 3 f(x - h) - f(x - 3h)| / (8 e). Steps with r in [1.5, 6] are accepted.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from methods.finite_difference.stencils.weights import Stencil
from methods.finite_difference.steps.curvature import Curvature
from methods.finite_difference.steps.lines import Lines
from methods.finite_difference.steps.more_wild import balanced_step

_TRIES = 20
_FACTOR = 4.0
_CLOSE = 1.1
"""Steps nearer than this factor are one."""
_LEAST = 1.5
"""Noise alone has a ratio of 0.6, and 1.5 hardly ever."""
_WIDE = 2.0
"""Half and twice the ratio at the best step, which is 3 for central differences."""


def numerator(stencil: Stencil) -> tuple[tuple[int, ...], tuple[Fraction, ...], int]:
    """Offsets and weights of the numerator of r, sizes adding up to 1, and a.

    >>> offsets, weights, a = numerator(Stencil((-1, 1), (Fraction(-1, 2), Fraction(1, 2)), 2))
    >>> offsets, [str(weight) for weight in weights], a
    ((-3, -1, 1, 3), ['1/8', '-3/8', '3/8', '-1/8'], 3)
    """
    a = 4 if stencil.order == 1 else 3
    weights: dict[int, Fraction] = {}
    for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
        weights[offset] = weights.get(offset, Fraction(0)) + weight
        weights[a * offset] = weights.get(a * offset, Fraction(0)) - weight / a
    total = sum((abs(weight) for weight in weights.values()), Fraction(0))
    offsets = tuple(sorted(offset for offset, weight in weights.items() if weight))
    return offsets, tuple(weights[offset] / total for offset in offsets), a


def growth(stencil: Stencil) -> float:
    """C in r(h) = C h^(p+1) |f^(p+1)| / e where truncation rules."""
    offsets, weights, _ = numerator(stencil)
    power = stencil.order + 1
    moment = sum(weight * offset**power for offset, weight in zip(offsets, weights, strict=True))
    return abs(float(moment)) / math.factorial(power)


def accepted(stencil: Stencil) -> tuple[float, float]:
    """The ratios between which a step is taken: [1.5, 6], and more for higher orders.

    The middle is the ratio at the step of `more_wild`.
    """
    best = growth(stencil) * balanced_step(stencil, 1.0, 1.0) ** (stencil.order + 1)
    least = max(best / _WIDE, _LEAST)
    return least, least * _WIDE**2


def bisected_step(lines: Lines, stencil: Stencil, noise: float) -> tuple[float, Curvature] | None:
    """The step, and the derivative that its ratio implies; None: no value was finite or no noise given.

    Ratios are root mean squares over the lines. The step grows or shrinks by four until it lies between one
    that is too small and one that is too large, and then is their geometric mean; at an end of the reach the
    last is taken.
    """
    offsets, weights, _ = numerator(stencil)
    (least, most), power, bend = accepted(stencil), stencil.order + 1, growth(stencil)
    low, high, wanted, last = 0.0, math.inf, _first(lines, stencil, noise), None
    for _ in range(_TRIES if noise else 0):
        h = lines.spacing(wanted, max(offsets))
        if h in (low, high):
            break
        ratio = _ratio(lines.values(h, offsets), weights, noise)
        if math.isfinite(ratio):
            size = max(ratio, least) * noise / (bend * h**power)
            last = h, Curvature(size, noise / (bend * h**power), h)
        if least <= ratio <= most:
            break
        low, high = (h, high) if ratio < least else (low, h)
        if low and high <= _CLOSE * low:
            break
        wanted = _next(low, high)
    return last


def _first(lines: Lines, stencil: Stencil, noise: float) -> float:
    """The best step if the derivative were 1 / scale^(p+1)."""
    typical = lines.scale ** -(stencil.order + 1.0)
    return balanced_step(stencil, noise, typical) if noise else lines.scale


def _next(low: float, high: float) -> float:
    if high == math.inf:
        return low * _FACTOR
    return math.sqrt(low * high) if low else high / _FACTOR


def _ratio(values: Any, weights: tuple[Fraction, ...], noise: float) -> float:
    sums = values @ np.asarray([float(weight) for weight in weights])
    return float(np.sqrt(np.mean(sums**2))) / noise
