"""How far to step by the dtype alone: epsilon to a power, times the size of the parameters.

A difference of order p has a truncation error of order h^p and a rounding error of order eps/h, which balance
at h ~ eps^(1/(p+1)) times the scale on which the loss curves (Press et al., Numerical Recipes, 5.7). That is
taken to be the root mean square of the parameter's array: arrays differ in scale, the entries of one rarely
do. Where some do, so that the root mean square is that of a few of them, the others have a size of their own.

An entry of a matrix is one of many that are added up, and the sum is what bends: an m x m matrix of size s
has sums of size s sqrt(m), which is s n^(1/4) for its n entries. So an entry that moves alone goes so much
farther, up to 1. On networks of 1e2 to 1e5 parameters differences of order 1, 2 and 4 so have a fifth of the
error in the median, in float32 and float64, as steps of the entries' own size drown in rounding.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays

Rule = Callable[[float], float]
"""From the epsilon of a dtype to the step for an array of scale 1."""

_FAR_ABOVE = 8.0
"""Of its own size: a root mean square that is so large says nothing of an entry. That of a network's arrays
is hardly ever above 1, and that of a Gaussian one 0.9 of the entry at `_MOST`, so that their steps are of the
root mean square."""
_MOST = 0.75
"""The share of an array's entries that are no larger than the one that stands for them."""
_OTHER_KIND = 1e-4
"""An entry that is so much smaller than most of its array is of another kind than they."""


def forward_rule(epsilon: float) -> float:
    """eps^(1/2), where h |f''| / 2 equals 2 eps |f| / h up to a factor: p = 1."""
    return math.sqrt(epsilon)


def central_rule(epsilon: float) -> float:
    """eps^(1/3), where h^2 |f'''| / 6 equals eps |f| / h up to a factor: p = 2."""
    return math.cbrt(epsilon)


def order_rule(order: int) -> Rule:
    """eps^(1/(p+1)) for a difference of order p: the rules above are those of p = 1 and p = 2."""
    if order <= 2:
        return forward_rule if order == 1 else central_rule
    return lambda epsilon: epsilon ** (1 / (order + 1))


def complex_rule(epsilon: float) -> float:
    """eps^(3/2): nothing cancels, so only truncation bounds it, and that is eps^3, far below rounding.

    Not smaller, because a product of imaginary parts, of order eps^3, should stay a normal number: subnormal
    ones are slow.
    """
    return epsilon * math.sqrt(epsilon)


def scale(xp: Any, x: Array) -> Array:
    """The root mean square of `x`, shape (); 1 where all of `x` is zero, or there is nothing in it.

    The largest magnitude is divided out first: squares of small float16 numbers are zero.
    """
    if 0 in x.shape:
        return xp.ones_like(xp.sum(x))
    largest = xp.max(xp.abs(x))
    one = xp.ones_like(largest)
    relative = x / xp.where(largest > 0, largest, one)
    return xp.where(largest > 0, largest * xp.sqrt(xp.mean(relative * relative)), one)


def sizes(xp: Any, x: Array) -> Array:
    """The size of each entry of `x`, shape () or that of `x`.

    It is the root mean square, where that is not far above the entry's own size. That is at least 1, on which
    most functions curve, so that numbers near zero, of which a trained network has many, have steps above
    rounding; and at least that of most entries, unless these are of another kind: in (1e20, 1) and in
    (1e20, 1e20, 1) the sizes of the ones are 1.
    """
    typical = scale(xp, x)
    if 0 in x.shape or (isinstance(x, np.ndarray) and typical <= _FAR_ABOVE):  # which saves small losses time
        return typical
    own = xp.abs(x)
    own = xp.where(own > 1, own, xp.ones_like(own))
    ordered = xp.sort(xp.reshape(xp.abs(x), (-1,)))
    most = ordered[int(_MOST * (ordered.shape[0] - 1))]
    own = xp.where((most > own) & (_OTHER_KIND * most <= own), most, own)
    return xp.where(typical / _FAR_ABOVE > own, own, typical)


def wanted(arrays: Arrays, x: Array, rule: Rule, step: float | None) -> Array:
    """The step for the coordinates of `x`, shape () or that of `x`: `step`, or the rule times their sizes."""
    if step is not None:
        return arrays.xp.full_like(x, step)
    return rule(arrays.epsilon) * sizes(arrays.xp, x)


def lengths(xp: Any, x: Array) -> Array:
    """How far the loss is like itself along each entry of `x` alone, shape () or that of `x`.

    They are the `sizes`; in arrays of several axes n^(1/4) times those, where that is below 1, and else 1, or
    the size where that is larger.
    """
    own = sizes(xp, x)
    if x.ndim < 2:
        return own
    return xp.maximum(own, xp.minimum(own * math.prod(x.shape) ** 0.25, xp.ones_like(own)))


def wanted_alone(arrays: Arrays, x: Array, rule: Rule, step: float | None) -> Array:
    """The step for a coordinate of `x` that moves alone: `step`, or the rule times their `lengths`."""
    return wanted(arrays, x, rule, step) if step is not None else rule(arrays.epsilon) * lengths(arrays.xp, x)
