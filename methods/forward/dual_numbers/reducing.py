"""Functions that make one number of many along axes: sums, products, means, the largest."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from methods.forward.dual_numbers.dual_array import DualArray
from methods.forward.dual_numbers.rules import plain, rule


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes meant, counted from 0; None means all."""
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def _linear(function: Any) -> None:
    """Sums and means: those of the tangents have the same axes, one further on."""

    def reduced(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        behind = tuple(1 + each for each in _axes(axis, a.ndim))
        value = function(a.value, axis=axis, dtype=dtype, keepdims=keepdims)
        return DualArray(value, function(a.tangents, axis=behind, dtype=dtype, keepdims=keepdims), a.tag)

    rule(function)(reduced)


_linear(np.sum)
_linear(np.mean)


@rule(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of the leading numbers."""
    if axis is None:
        return np.cumsum(np.ravel(a), axis=0, dtype=dtype)
    behind = 1 + normalize_axis_index(axis, a.ndim)
    value = np.cumsum(a.value, axis=axis, dtype=dtype)
    return DualArray(value, np.cumsum(a.tangents, axis=behind, dtype=dtype), a.tag)


def _along_last(a: Any, axis: Any) -> Any:
    """`a` with the axes that go as one, the last."""
    gone = _axes(axis, a.ndim)
    kept = [each for each in range(a.ndim) if each not in gone]
    number = math.prod(a.shape[each] for each in gone)
    return np.reshape(np.transpose(a, (*kept, *gone)), (*(a.shape[each] for each in kept), number))


def _kept(y: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """`y` with the axes that went as axes of length 1 where they are to be kept."""
    gone = _axes(axis, a.ndim)
    shape = tuple(1 if each in gone else a.shape[each] for each in range(a.ndim))
    return np.reshape(y, shape) if keepdims else y


@rule(np.prod)
def prod(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    """One product after the other, so that no number is divided by, which may be zero."""
    x = _along_last(a if dtype is None else a.astype(dtype), axis)
    y = x[..., 0] if x.shape[-1] else np.ones(x.shape[:-1], x.dtype)
    for place in range(1, x.shape[-1]):
        y = y * x[..., place]
    return _kept(y, a, axis, keepdims)


@rule(np.cumprod)
def cumprod(a: Any, axis: int | None = None) -> Any:
    """One product after the other, each kept."""
    x = np.ravel(a) if axis is None else np.moveaxis(a, axis, 0)
    found = [x[0]]
    for place in range(1, x.shape[0]):
        found.append(found[-1] * x[place])
    return np.moveaxis(np.stack(found), 0, axis or 0)


def _extreme(functions: tuple[Any, ...], place: Callable[..., Any]) -> None:
    def chosen(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The number at the first place where it is the largest, or the smallest."""
        x = _along_last(a, axis)
        found = place(plain(x), axis=-1)[..., None]
        return _kept(np.take_along_axis(x, found, axis=-1)[..., 0], a, axis, keepdims)

    rule(*functions)(chosen)


_extreme((np.max, np.amax), np.argmax)
_extreme((np.min, np.amin), np.argmin)


@rule(np.var)
def var(a: Any, axis: Any = None, *, ddof: float = 0, correction: float = 0, keepdims: bool = False) -> Any:
    """The mean of (x - mean x)^2, or its sum divided by fewer."""
    number = math.prod(a.shape[each] for each in _axes(axis, a.ndim))
    d = a - np.mean(a, axis=axis, keepdims=True)
    return np.sum(d * d, axis=axis, keepdims=keepdims) / (number - ddof - correction)


@rule(np.std)
def std(a: Any, axis: Any = None, *, ddof: float = 0, correction: float = 0, keepdims: bool = False) -> Any:
    """The root of the variance."""
    return np.sqrt(np.var(a, axis=axis, ddof=ddof + correction, keepdims=keepdims))


@rule(np.sort)
def sort(a: Any, axis: int | None = -1, *, kind: Any = None, stable: Any = None) -> Any:
    """The numbers at the places where they are in order."""
    x, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(x, np.argsort(plain(x), axis=axis, kind=kind, stable=stable), axis=axis)


@rule(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """The mean, or that with weights of the same shape."""
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total
