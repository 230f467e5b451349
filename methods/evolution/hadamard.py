"""Randomised Hadamard rows: vectors of signs that are orthogonal to each other, made without being held.

H_n, n = 2^m, has the entries (-1)^(number of bits that i and j share) (Sylvester 1867): its rows are
orthogonal, and so are its columns. With P <= n columns c taken at random, random signs d, and rows taken at
random without replacement, e_k = H[k, c] * d are vectors of independent signs, each by itself, and all n of
them together have sum over k of e_k e_k^T = n I (Choromanski, Rowland and Weller 2017 call such products HD).
Were the columns the first P, two rows of a cut matrix could be nearly parallel.
Row k is the outer product of the rows for its upper and lower bits, so that a table of sqrt(n) by sqrt(n) is
all that is held.
"""

from collections.abc import Iterator
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.random import stream


def rows_of_all(size: int) -> int:
    """n, the least power of two that is not below `size`."""
    return 1 << (size - 1).bit_length()


def hadamard_rows(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """`number` vectors of `size` signs, in arrays of shape (at most `chunk`, `size`).

    Every n of them in turn are one round, with column signs and an order of its own, independent of others.

    >>> import numpy as np
    >>> e = np.concatenate(list(hadamard_rows(Arrays(), seed=0, number=8, size=5, chunk=3)))
    >>> np.array_equal(e.T @ e, 8 * np.eye(5))
    True
    """
    together = rows_of_all(size)
    for begin in range(0, number, together):
        random = stream(seed, "noise", begin // together)
        signs = 2.0 * random.integers(0, 2, size) - 1
        columns, order = random.permutation(together)[:size], random.permutation(together)[: number - begin]
        for start in range(0, len(order), chunk):
            yield arrays.array(hadamard(order[start : start + chunk], together)[:, columns] * signs)


def hadamard(indices: Any, size: int) -> Any:
    """Rows `indices` of H_n for n = `size`, a power of two: (len(indices), n), float64."""
    low = (size.bit_length() - 1) // 2
    short, long = _square(1 << low), _square(size >> low)
    product = long[indices >> low][:, :, None] * short[indices & ((1 << low) - 1)][:, None, :]
    return product.reshape(len(indices), size)


def _square(size: int) -> Any:
    from scipy.linalg import hadamard as matrix

    return matrix(size, dtype=float)
