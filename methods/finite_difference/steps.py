"""How far to step: rules for finite differences, as pure functions, each with its reason.

A difference of order p has a truncation error of order h^p and a rounding error of order eps/h, which balance
at h ~ eps^(1/(p+1)) times the scale on which the loss curves (Press et al., Numerical Recipes, 5.7). That is
taken to be the root mean square of the parameter's array: arrays differ in scale, the entries of one rarely
do.
"""

import math
from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.errors import UsageError

Rule = Callable[[float], float]
"""From the epsilon of a dtype to the step for an array of scale 1."""


def forward_rule(epsilon: float) -> float:
    """eps^(1/2), where h |f''| / 2 equals 2 eps |f| / h up to a factor: p = 1."""
    return math.sqrt(epsilon)


def central_rule(epsilon: float) -> float:
    """eps^(1/3), where h^2 |f'''| / 6 equals eps |f| / h up to a factor: p = 2."""
    return math.cbrt(epsilon)


def complex_rule(epsilon: float) -> float:
    """eps^(3/2): nothing cancels, so only truncation bounds it, and that is eps^3, far below rounding.

    Not smaller, because a product of imaginary parts, of order eps^3, should stay a normal number: subnormal
    ones are slow.
    """
    return epsilon * math.sqrt(epsilon)


def scale(xp: Any, x: Array) -> Array:
    """The root mean square of `x`, shape (); 1 where all of `x` is zero.

    The largest magnitude is divided out first: squares of small float16 numbers are zero.
    """
    largest = xp.max(xp.abs(x))
    one = xp.ones_like(largest)
    relative = x / xp.where(largest > 0, largest, one)
    return xp.where(largest > 0, largest * xp.sqrt(xp.mean(relative * relative)), one)


def wanted(arrays: Arrays, x: Array, rule: Rule, step: float | None) -> Array:
    """The step for the coordinates of `x`, shape () or that of `x`: `step`, or the rule times the scale."""
    if step is not None:
        return arrays.xp.full_like(x, step)
    return rule(arrays.epsilon) * scale(arrays.xp, x)


def resolved(arrays: Arrays, x: Array, h: Array) -> Array:
    """`h` for each coordinate, lengthened to the spacing of numbers at x where x + h would round to x.

    Few steps are so fine in float64, many in bfloat16, whose numbers near 1 are 1/128 apart.
    """
    xp = arrays.xp
    return xp.maximum(h, arrays.epsilon * xp.abs(x) + xp.finfo(x.dtype).smallest_normal)


def within(xp: Any, h: Array, x: Array, bounds: tuple[float, float] | None) -> Array:
    """The central step `h`, shortened to half the way to the nearer bound of the problem's domain."""
    return h if bounds is None else xp.minimum(h, xp.minimum(x - bounds[0], bounds[1] - x) / 2)


def check_room(xp: Any, width: Array, name: str, bounds: tuple[float, float] | None) -> None:
    """Raise `UsageError` where a bound leaves no room to step to both sides: 0/0 otherwise."""
    if bounds is not None and bool(xp.any(width == 0)):
        raise UsageError(
            f"an entry of `{name}` lies on a bound of the domain {bounds}, and a central difference steps to "
            "both sides: use forward_difference there, which steps inward."
        )


def towards(xp: Any, h: Array, x: Array, bounds: tuple[float, float] | None) -> Array:
    """The one-sided step `h`, taken to the side of the farther bound and at most half the way to it."""
    if bounds is None:
        return h
    below, above = x - bounds[0], bounds[1] - x
    h = xp.minimum(h, xp.maximum(below, above) / 2)
    return xp.where(above < below, -h, h)
