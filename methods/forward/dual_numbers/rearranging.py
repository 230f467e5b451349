"""Functions that put the numbers of arrays elsewhere: their tangents go the same ways.

Where NumPy makes a view of the value it makes one of the tangents. `placing` has the functions that copy.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from methods.forward.dual_numbers import rules
from methods.forward.dual_numbers.dual_array import DualArray
from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.placing import gathered
from methods.forward.dual_numbers.rules import plain, rule


def item(x: DualArray, index: Any) -> DualArray:
    """x[index]."""
    parts = plain(index if isinstance(index, tuple) else (index,))
    value = x.value[parts]
    if _keeps_order(parts):
        return DualArray(value, x.tangents[(slice(None), *parts)], x.tag)
    return gathered(x, value, np.arange(x.size).reshape(x.shape)[parts])


def _keeps_order(parts: tuple[Any, ...]) -> bool:
    """Whether an axis more in front stays in front: NumPy puts those of several index arrays there."""
    kinds = [type(part) for part in parts if part is not None and part is not ... and type(part) is not slice]
    if any(issubclass(kind, bool | np.bool) for kind in kinds):
        return False
    return len(kinds) <= 1 or all(issubclass(kind, int | np.integer) for kind in kinds)


rules.item = item


@rule(np.reshape)
def reshape(a: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Any:
    """Other axes, read in C's order."""
    if order != "C":
        return np.transpose(np.reshape(np.transpose(a), shape[::-1] if isinstance(shape, tuple) else shape))
    return _reshaped(a, np.reshape(a.value, shape))


def _reshaped(x: DualArray, value: Any) -> DualArray:
    return DualArray(value, np.reshape(x.tangents, (x.tangents.shape[0], *value.shape)), x.tag)


def _by_shape(function: Any) -> None:
    """Functions that change the shape alone."""

    def reshaped(x: Any, *given: Any, **options: Any) -> Any:
        return _reshaped(x, function(x.value, *given, **options))

    rule(function, options="axis")(reshaped)


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.expand_dims, np.ravel, np.squeeze):
    _by_shape(_function)


@rule(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order."""
    order = tuple(reversed(range(a.ndim))) if axes is None else normalize_axis_tuple(axes, a.ndim)
    tangents = np.transpose(a.tangents, (0, *(1 + axis for axis in order)))
    return DualArray(np.transpose(a.value, order), tangents, a.tag)


@rule(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    return DualArray(np.matrix_transpose(x.value), np.matrix_transpose(x.tangents), x.tag)


@rule(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return np.transpose(a, order)


@rule(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes put elsewhere."""
    source, destination = (normalize_axis_tuple(axes, a.ndim) for axes in (source, destination))
    order = [axis for axis in range(a.ndim) if axis not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return np.transpose(a, order)


@rule(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """Repeated along new axes and those of length 1."""
    level = Level([array])
    return level.dual(np.broadcast_to(array.value, shape), level.lifted(array, len(tuple(shape))))


@rule(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """All in the shape that they have together."""
    shape = np.broadcast_shapes(*(np.shape(plain(x)) for x in args))
    return tuple(np.broadcast_to(x, shape) for x in args)


@rule(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """One number everywhere, which may be dual."""
    like = np.zeros_like(plain(a), dtype=dtype, shape=shape)
    return np.full_like(like, fill_value) if not hasattr(fill_value, "tangents") else like + fill_value


@rule(np.real, np.copy)
def real(val: Any) -> Any:
    """The real part of value and tangents."""
    return DualArray(np.real(val.value), np.real(val.tangents), val.tag)


@rule(np.imag)
def imag(val: Any) -> Any:
    """The imaginary part of value and tangents."""
    return DualArray(np.imag(val.value), np.imag(val.tangents), val.tag)
