"""Functions that put arrays beside each other; those that do not move have tangents of zero."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.rules import plain, rule


@rule(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: int | None = 0, *, dtype: Any = None) -> Any:
    """One behind the other along an axis that is there; along the only one of all their numbers for None."""
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    level, axis = Level(arrays), normalize_axis_index(axis, np.ndim(plain(arrays[0])))
    value = np.concatenate([level.value(x) for x in arrays], axis=axis, dtype=dtype)
    return level.dual(value, np.concatenate([level.tangents(x) for x in arrays], axis=axis + 1))


@rule(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None) -> Any:
    """One behind the other along a new axis."""
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis=axis, dtype=dtype)


@rule(np.hstack)
def hstack(tup: Sequence[Any], *, dtype: Any = None) -> Any:
    """Side by side."""
    arrays = [np.atleast_1d(x) for x in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, dtype=dtype)


@rule(np.vstack)
def vstack(tup: Sequence[Any], *, dtype: Any = None) -> Any:
    """One below the other."""
    return np.concatenate([np.atleast_2d(x) for x in tup], axis=0, dtype=dtype)


@rule(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """Vectors as columns."""
    return np.concatenate([x if x.ndim > 1 else x[:, None] for x in map(np.atleast_1d, tup)], axis=1)


@rule(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`values` behind `arr`."""
    return np.concatenate([arr, values], axis=axis)


@rule(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """The slices along an axis."""
    lead = (slice(None),) * normalize_axis_index(axis, x.ndim)
    return tuple(x[(*lead, place)] for place in range(x.shape[axis]))


@rule(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours."""
    lead = (slice(None),) * normalize_axis_index(axis, a.ndim)
    for _ in range(n):
        a = a[(*lead, slice(1, None))] - a[(*lead, slice(None, -1))]
    return a
