"""How far to step by the dtype alone: epsilon to a power, times the size of the parameters.

A difference of order p has a truncation error of order h^p and a rounding error of order eps/h, which balance
at h ~ eps^(1/(p+1)) times the scale on which the loss curves (Press et al., Numerical Recipes, 5.7). That is
taken to be the root mean square of the parameter's array: arrays differ in scale, the entries of one rarely
do.
"""

import math
from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array, Arrays

Rule = Callable[[float], float]
"""From the epsilon of a dtype to the step for an array of scale 1."""


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


def wanted(arrays: Arrays, x: Array, rule: Rule, step: float | None) -> Array:
    """The step for the coordinates of `x`, shape () or that of `x`: `step`, or the rule times the scale."""
    if step is not None:
        return arrays.xp.full_like(x, step)
    return rule(arrays.epsilon) * scale(arrays.xp, x)
