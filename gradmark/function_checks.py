"""What a function must be to make a problem: asked once, and answered in a sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays, to_numpy
from gradmark.errors import UsageError
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
