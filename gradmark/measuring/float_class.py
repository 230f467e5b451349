"""Which dtype's rounding an error looks like."""

from gradmark.arrays import epsilon

_GROWTH = 16.0
"""Roundings add up like a random walk: a chain of 256 of them makes sqrt(256) times one."""
_ONCE = 1 / 6
"""Epsilons of relative error that rounding every number once makes at least: eps / sqrt(12) beside a number
between 1 and 2 is eps / 5 on the average."""
_CLASSES = ("float64", "float32", "float16", "bfloat16")


def float_class(relative: float) -> str:
    """The most precise dtype whose rounding makes a relative error of this size; "below" for a larger one.

    A gradient is of the class float32 when its error is within `_GROWTH` epsilons of float32 and not within
    those of float64: it has the digits of float32, wherever it lost the others. The epsilons of float16 and
    bfloat16 are near each other, and what rounding to bfloat16 would at least have cost is the limit between.

    >>> float_class(3e-16), float_class(2e-7), float_class(5e-3), float_class(1.0)
    ('float64', 'float32', 'bfloat16', 'below')
    """
    return next((name for name in _CLASSES if relative <= _limit(name)), "below")


def _limit(name: str) -> float:
    coarser = _CLASSES[_CLASSES.index(name) + 1 :][:1]
    return min([_GROWTH * epsilon(name)] + [_ONCE * epsilon(other) for other in coarser])
