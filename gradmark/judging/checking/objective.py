"""The function that is checked, as one number at a point."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import dtype_name, to_numpy
from gradmark.errors import UsageError
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.space import Space

_SCALAR = "it must return one real number; for several outputs use `check_vjp`"


@dataclass(frozen=True)
class Raw:
    """A number as the function returned it: NumPy, shape (), and its dtype ("" for a plain number)."""

    number: Any
    dtype: str


class NoNumber(ValueError):
    """What the function returned can't be made into one number: the end of a sentence ("returned ...")."""


@dataclass(frozen=True)
class Objective:
    """A `function` of the point, `reduced` to one number, counted by `meter`."""

    function: Callable[[Any], Any]
    space: Space
    meter: Meter
    reduced: Callable[[Any], Raw]

    def __call__(self, argument: Any) -> Raw:
        """The number at an argument that was built for the function; raises whatever the function raises,
        and `NoNumber`.
        """
        self.meter.evaluation()
        with np.errstate(all="ignore"):
            value = self.function(argument)
            try:
                return self.reduced(value)
            except ValueError as error:
                raise NoNumber(str(error)) from error


def scalar(value: Any) -> Raw:
    """What a scalar function returned. Raises ValueError for anything but one real or complex number."""
    dtype = dtype_name(value) if hasattr(value, "dtype") else ""
    try:
        number = to_numpy(value) if dtype else np.asarray(value)
    except ValueError as error:  # a list of lists of several lengths
        raise ValueError(f"returned {type(value).__name__} where a number is wanted: {_SCALAR}") from error
    if number.dtype.kind not in "fciub":
        raise ValueError(f"returned {type(value).__name__} where a number is wanted: {_SCALAR}")
    if number.shape != ():
        raise ValueError(f"returned shape {number.shape} where one number is wanted: {_SCALAR}")
    return Raw(number[()], dtype)


def no_value(error: BaseException) -> UsageError:
    """The error for a function that raises at the point that was given."""
    said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return UsageError(
        f"`function` has no value at the point (it raised {said}): mend it, or choose another point."
    )
