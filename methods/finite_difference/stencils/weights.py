"""Stencils of finite differences: at which offsets to evaluate, and with which weights to add.

The weights are those of Fornberg (1988, "Generation of finite difference formulas on arbitrarily spaced
grids", Math. Comp. 51), computed in rational numbers and rounded once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from gradmark.dtypes import epsilon


@dataclass(frozen=True)
class Stencil:
    """sum of w_k f(x + k h) / h^d over `offsets` k with `weights` w_k: the d-th `derivative` to `order`."""

    offsets: tuple[int, ...]
    weights: tuple[Fraction, ...]
    order: int
    derivative: int = 1

    @property
    def reach(self) -> int:
        """The farthest offset."""
        return max(map(abs, self.offsets))

    @property
    def noise(self) -> float:
        """The standard deviation of the sum of w_k e_k for independent e_k of standard deviation 1."""
        return math.sqrt(sum(weight * weight for weight in self.weights))

    @property
    def truncation(self) -> float:
        """c in the leading error c h^p f^(p + d) of order p: |sum of w_k k^(p + d)| / (p + d)!."""
        power = self.order + self.derivative
        moment = sum(
            weight * offset**power for offset, weight in zip(self.offsets, self.weights, strict=True)
        )
        return abs(float(moment)) / math.factorial(power)


def fornberg(offsets: Sequence[int], derivative: int) -> tuple[Fraction, ...]:
    """The w_k with sum of w_k f(k) = f^(`derivative`)(0) for all polynomials of degree < len(offsets).

    Fornberg's recursion: the weights of n + 1 points from those of n, the newest from the newest before.

    >>> [str(weight) for weight in fornberg((-1, 0, 1), 2)]
    ['1', '-2', '1']
    """
    # rows[k][j]: the weight of point k, of those so far, for the j-th derivative.
    rows = [[Fraction(1)] + [Fraction(0)] * derivative]
    before = Fraction(1)
    for new in range(1, len(offsets)):
        here, last, product = offsets[new], offsets[new - 1], Fraction(1)
        newest = rows[new - 1]
        for old in range(new):
            product *= here - offsets[old]
        scale = before / product
        rows.append(
            [scale * ((j * newest[j - 1] if j else 0) - last * newest[j]) for j in range(derivative + 1)]
        )
        for old in range(new):
            row, gap = rows[old], here - offsets[old]
            rows[old] = [(here * row[j] - (j * row[j - 1] if j else 0)) / gap for j in range(derivative + 1)]
        before = product
    return tuple(row[derivative] for row in rows)


@cache
def one_sided() -> Stencil:
    """f(x + h) - f(x): order 1. That of f(x) - f(x - h) is the same with -h for h."""
    return Stencil((0, 1), fornberg((0, 1), 1), order=1)


@cache
def central(order: int) -> Stencil:
    """The symmetric stencil of an even `order`, of `order` points: its middle one has no weight.

    >>> [str(weight) for weight in central(4).weights]
    ['1/12', '-2/3', '2/3', '-1/12']
    """
    offsets = range(-(order // 2), order // 2 + 1)
    weighted = [(k, weight) for k, weight in zip(offsets, fornberg(offsets, 1), strict=True) if k]
    return Stencil(tuple(k for k, _ in weighted), tuple(weight for _, weight in weighted), order)


@cache
def of_derivative(derivative: int) -> Stencil:
    """The shortest symmetric stencil of a higher derivative, of order 2.

    >>> [str(weight) for weight in of_derivative(3).weights]
    ['-1/2', '1', '-1', '1/2']
    """
    reach = (derivative + 1) // 2
    offsets = range(-reach, reach + 1)
    weighted = [
        (k, weight) for k, weight in zip(offsets, fornberg(offsets, derivative), strict=True) if weight
    ]
    return Stencil(tuple(k for k, _ in weighted), tuple(weight for _, weight in weighted), 2, derivative)


def pairs(stencil: Stencil) -> list[tuple[int, float]]:
    """(k, 2 k w_k) for k > 0: a central stencil is the mean of (f(x + kh) - f(x - kh)) / 2kh so weighted."""
    both = zip(stencil.offsets, stencil.weights, strict=True)
    return [(offset, float(2 * offset * weight)) for offset, weight in both if offset > 0]


@cache
def highest_order() -> int:
    """The even order from which on the outermost pair adds less than half an epsilon of float64.

    Its weight is about 4^(-order/2): every further pair of evaluations would be lost in rounding.
    """
    order = 2
    while abs(pairs(central(order + 2))[-1][1]) > epsilon("float64") / 2:
        order += 2
    return order
