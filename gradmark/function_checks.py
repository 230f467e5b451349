"""What a function must be to make a problem: asked once, and answered in a sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays, to_numpy
from gradmark.errors import UsageError, shown
from gradmark.parameters import Parameters


def value_at(function: Callable[[Any, Parameters], Array], arrays: Arrays, point: Parameters) -> Array:
    """``function(xp, point)``; `UsageError` where it writes into its argument.

    Every later evaluation, and the parameters of whoever calls a method, would be those it left behind.

    >>> def halved(xp, p):
    ...     p["x"] *= 0.5
    ...     return xp.sum(p["x"])
    >>> value_at(halved, Arrays(), {"x": np.ones(2)})
    Traceback (most recent call last):
    gradmark.errors.UsageError: `function` writes into its argument x: let it work on a copy.
    """
    if arrays.device == "meta":
        return function(arrays.xp, point)
    before = {name: np.array(to_numpy(array)) for name, array in point.items()}
    value = function(arrays.xp, point)
    for name, array in point.items():
        if not np.array_equal(before[name], to_numpy(array), equal_nan=True):
            raise UsageError(f"`function` writes into its argument {name}: let it work on a copy.")
    return value


def check_within(bounds: tuple[float, float] | None, arrays: Arrays, point: Parameters) -> None:
    """Raise `UsageError` where an entry of the point lies outside of `bounds`, beyond which nobody may ask.

    >>> check_within((0.0, 1.0), Arrays(), {"x": np.array([0.5, 2.0])})
    Traceback (most recent call last):
    gradmark.errors.UsageError: `bounds=(0.0, 1.0)` must hold every entry of `at`; x has others: move them.
    """
    if bounds is None or arrays.device == "meta":
        return
    for name, array in point.items():
        x = to_numpy(array)
        if not np.all((x >= bounds[0]) & (x <= bounds[1])):
            raise UsageError(
                f"`bounds={shown(bounds)}` must hold every entry of `at`; {name} has others: move them."
            )
