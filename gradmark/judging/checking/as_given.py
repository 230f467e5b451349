"""The options of a check as they stand in a call of it, for the line of code that repeats a finding."""

import math
from typing import Any


def as_given(seed: int, digits: float | None, bounds: Any, points: Any) -> str:
    """Those that a finding hangs on and that were given, as Python; of the points their name alone.

    >>> as_given(0, None, None, None)
    'seed=0'
    >>> as_given(1, 6, (0.0, math.inf), [2.0])
    'seed=1, digits=6, bounds=(0, math.inf), points=points'
    """
    found = [f"seed={int(seed)}"]
    found += [] if digits is None else [f"digits={_number(digits)}"]
    found += [] if bounds is None else [f"bounds=({', '.join(_number(bound) for bound in bounds)})"]
    found += [] if points is None else ["points=points"]
    return ", ".join(found)


def _number(value: float) -> str:
    number = float(value)
    if math.isinf(number):
        return "math.inf" if number > 0 else "-math.inf"
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)


_EXACT = 2.0**53
"""Below it a number that is whole is shown as one."""
