"""Derivatives of plain functions of NumPy arrays: along directions, of a number, of all numbers of an array.

Functions may take derivatives themselves, to any depth: each derivative has a tag of its own.

>>> derivative(lambda x: x * derivative(lambda y: x + y, 1.0), 1.0)
array(1.)
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.errors import UsageError, shown
from methods.forward.dual_numbers.dual_array import DualArray
from methods.forward.dual_numbers.level import fresh_tag

Named = Mapping[str, Array]


def pushed(function: Callable[[dict[str, Any]], Any], point: Named, tangents: Named) -> tuple[Any, Any]:
    """``function(point)`` and its derivatives along K `tangents` (K, *shape), in the same structure.

    The function takes named arrays, and returns an array, or named ones. What has no tangents does not move.
    """
    tag, directions = fresh_tag(), next(iter(tangents.values())).shape[0]
    moving = {name: DualArray(point[name], each, tag) for name, each in tangents.items()}
    try:
        y = function({**point, **moving})
    except ValueError as error:
        # NumPy puts its own error before the one that says why a dual number cannot be put into an array.
        raise (error.__cause__ if isinstance(error.__cause__, UsageError) else error) from None
    return _parted(y, tag, directions)


def _parted(y: Any, tag: int, directions: int) -> tuple[Any, Any]:
    if isinstance(y, Mapping):
        parts = {name: _parted(each, tag, directions) for name, each in y.items()}
        return {name: part[0] for name, part in parts.items()}, {
            name: part[1] for name, part in parts.items()
        }
    if isinstance(y, DualArray) and y.tag > tag:
        raise UsageError(
            "the function returned a dual array of an inner derivative, which has ended: return its result."
        )
    if isinstance(y, DualArray) and y.tag == tag:
        return y.value, y.tangents
    if not isinstance(y, DualArray):
        y = np.asarray(y)
        if y.dtype.kind not in "biufc":
            raise UsageError(
                f"the function returned `{shown(y)}`, which is no array of numbers and has no derivative."
            )
    return y, np.zeros((directions, *y.shape), y.dtype if y.dtype.kind in "fc" else np.float64)


def jvp(function: Callable[[Any], Any], at: Any, along: Any) -> tuple[Any, Any]:
    """f(x) and f'(x) v of a function of one array, at x and along v of its shape.

    >>> float(jvp(lambda x: np.sum(x * x), [1.0, 2.0], [1.0, 0.0])[1])
    2.0
    """
    x = _array(at)
    direction = _array(along)
    if direction.shape != x.shape:
        raise UsageError(
            f"`along` has shape {direction.shape}, and `at` {x.shape}: give one number for each."
        )
    value, slopes = pushed(lambda p: function(p["x"]), {"x": x}, {"x": direction[None, ...]})
    return value, slopes[0, ...]


def derivative(function: Callable[[Any], Any], at: Any) -> Any:
    """f'(x) of a function of one number; its result may be an array.

    >>> derivative(np.sin, 0.0)
    array(1.)
    """
    x = _array(at)
    if x.ndim:
        raise UsageError(
            f"`derivative` is taken at one number, not at shape {x.shape}: use `gradient` or `jvp`."
        )
    return jvp(function, x, np.ones((), x.dtype))[1]


def gradient(function: Callable[[Any], Any], at: Any) -> Any:
    """The derivative with respect to every number of an array, behind the axes of the function's result.

    It is the gradient of a function that returns one number, else the Jacobian.

    >>> gradient(lambda x: np.sum(x**3), [1.0, 2.0])
    array([ 3., 12.])
    """
    x = _array(at)
    one_hot = np.reshape(np.eye(x.size, dtype=x.dtype), (x.size, *x.shape))
    value, slopes = pushed(lambda p: function(p["x"]), {"x": x}, {"x": one_hot})
    return np.reshape(np.moveaxis(slopes, 0, -1), (*value.shape, *x.shape))


def _array(x: Any) -> Any:
    """`x` as an array of floating numbers; a dual one, of a derivative around this one, as it is."""
    if isinstance(x, DualArray):
        return x
    array = np.asarray(x)
    return array if array.dtype.kind in "fc" else array.astype(np.float64)
