"""Sums of the rows that belong to the same index: what looking up rows of a table is, transposed."""

from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays


def scatter_add(arrays: Arrays, indices: Array, rows: Array, count: int) -> Array:
    """y[..., i, :] = the sum of rows[..., k, :] over all k where indices[k] is i; i runs to `count`.

    NumPy sorts the rows and adds neighbours, which is several times faster than ``np.add.at``. torch adds
    them one after the other on the cpu; on a GPU it would do so in any order, and round differently each
    time. So there, and on other backends, it is a product with the matrix of zeros and ones
    (indices[k] = i).
    """
    xp: Any = arrays.xp
    if isinstance(rows, np.ndarray):
        return _sorted(indices, rows, count)
    if arrays.backend == "torch" and arrays.device == "cpu":
        zeros = rows.new_zeros((*rows.shape[:-2], count, rows.shape[-1]))
        return zeros.index_add(-2, indices, rows)
    every = arrays.integers(np.arange(count))
    return xp.matmul(xp.astype(every[:, None] == indices, rows.dtype), rows)


def _sorted(indices: Any, rows: Any, count: int) -> Any:
    order = np.argsort(indices, kind="stable")
    placed = indices[order]
    first = np.flatnonzero(np.diff(placed, prepend=-1))
    sums = np.zeros((*rows.shape[:-2], count, rows.shape[-1]), rows.dtype)
    sums[..., placed[first], :] = np.add.reduceat(rows[..., order, :], first, axis=-2)
    return sums
