"""Steps that the dtype resolves and that stay inside the bounds of a problem's domain."""

from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.errors import UsageError


def resolved(arrays: Arrays, x: Array, h: Array) -> Array:
    """`h` for each coordinate, lengthened to the spacing of numbers at x where x + h would round to x.

    Few steps are so fine in float64, many in bfloat16, whose numbers near 1 are 1/128 apart.
    """
    xp = arrays.xp
    return xp.maximum(h, arrays.epsilon * xp.abs(x) + xp.finfo(x.dtype).smallest_normal)


def within(xp: Any, h: Array, x: Array, bounds: tuple[float, float] | None, reach: int = 1) -> Array:
    """The central step `h`, so short that `reach` of them are half the way to the nearer bound."""
    return h if bounds is None else xp.minimum(h, xp.minimum(x - bounds[0], bounds[1] - x) / (2 * reach))


def check_room(xp: Any, width: Array, name: str, bounds: tuple[float, float] | None) -> None:
    """Raise `UsageError` where a bound leaves no room to step to both sides: 0/0 otherwise.

    Beyond a bound the room is negative.
    """
    if bounds is not None and bool(xp.any(width <= 0)):
        raise UsageError(
            f"an entry of `{name}` lies on a bound of the domain {bounds}, or beyond, and a central "
            "difference steps to both sides: use forward_difference there, which steps inward."
        )


def towards(xp: Any, h: Array, x: Array, bounds: tuple[float, float] | None, sign: int = 1) -> Array:
    """The one-sided step `h` with `sign`, or with the other where a bound is too near and less so there.

    It is at most half the way to the bound on its side.
    """
    if bounds is None:
        return sign * h
    below, above = (x - bounds[0]) / 2, (bounds[1] - x) / 2
    here, there = (above, below) if sign > 0 else (below, above)
    return inward(xp, h, here, there, sign)


def inward(xp: Any, h: Array, here: Array, there: Array, sign: int) -> Array:
    """`h` to the side of `sign`, where there is room for `here`, or to the other where there is more."""
    kept = (h <= here) | (here >= there)
    return xp.where(kept, sign * xp.minimum(h, here), -sign * xp.minimum(h, there))
