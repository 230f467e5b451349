"""The function that is checked, as one number at a point."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import dtype_name, to_numpy
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.space import Space


@dataclass(frozen=True)
class Raw:
    """A number as the function returned it: NumPy, shape (), and its dtype ("" for a plain number)."""

    number: Any
    dtype: str


@dataclass(frozen=True)
class Objective:
    """A `function` of the point, `reduced` to one number, counted by `meter`."""

    function: Callable[[Any], Any]
    space: Space
    meter: Meter
    reduced: Callable[[Any], Raw]

    def __call__(self, argument: Any) -> Raw:
        """The number at an argument that was built for the function; raises whatever the function raises."""
        self.meter.evaluation()
        with np.errstate(all="ignore"):
            return self.reduced(self.function(argument))


def scalar(value: Any) -> Raw:
    """What a scalar function returned. Raises ValueError for anything but one real or complex number."""
    dtype = dtype_name(value) if hasattr(value, "dtype") else ""
    number = to_numpy(value) if dtype else np.asarray(value)
    if number.shape != ():
        raise ValueError(f"returned shape {number.shape} where one number is wanted")
    if number.dtype.kind not in "fciub":
        raise ValueError(f"returned {type(value).__name__} where a number is wanted")
    return Raw(number[()], dtype)
