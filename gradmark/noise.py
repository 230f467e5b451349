"""Search noise: the random directions of forward gradients and evolution strategies, a few at a time."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.noise_laws import noise_law
from gradmark.random import generator

LAWS = ("gaussian", "rademacher", "orthonormal")
"""What `noise_rows` draws; one orthonormal direction by itself has the law "sphere"."""
_BLOCK = 64
"""Rows of a frame that are made orthogonal together: enough for matrix products, little beside the frame."""


def normal_rows(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """`number` standard normal vectors of `size`, the search noise of `seed`, at most `chunk` at a time.

    Yields arrays of shape (at most `chunk`, `size`), so that nobody holds number x size. The numbers do not
    depend on `chunk`, backend or dtype, except for the one rounding to the dtype.

    >>> [rows.shape for rows in normal_rows(Arrays(), seed=0, number=5, size=3, chunk=2)]
    [(2, 3), (2, 3), (1, 3)]
    """
    return noise_rows(arrays, "gaussian", seed, number, size, chunk)


def noise_rows(arrays: Arrays, law: str, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """`number` vectors e of `size` of one of `LAWS`, E[e e^T] = I, as `normal_rows` yields them.

    Gaussian and rademacher vectors are independent. Orthonormal ones, times sqrt(size), are at most `size`
    and known only together: their frame of number x size float64 numbers is held, 8 bytes each.

    >>> [rows.shape for rows in noise_rows(Arrays(), "orthonormal", seed=0, number=3, size=3, chunk=2)]
    [(2, 3), (1, 3)]
    """
    random = generator(seed, "noise")
    frame = orthonormal_rows(random, number, size) if law == "orthonormal" else None
    known = noise_law(law)
    for start in range(0, number, chunk):
        stop = min(start + chunk, number)
        if frame is not None:
            yield arrays.array(math.sqrt(size) * frame[start:stop])
        elif known is not None:
            yield arrays.array(known.rows(random, stop - start, size))


def orthonormal_rows(random: np.random.Generator, number: int, size: int) -> Any:
    """`number` <= `size` orthonormal rows (number, size), float64, uniform over all such frames.

    They are normal rows made orthogonal one after the other (Gram and Schmidt), and uniform because a normal
    vector is as likely in every direction. The factors Q R of a block of 64 do so where the diagonal of R is
    positive, which LAPACK does not promise: signs are set right (Mezzadri, Notices of the AMS 54:592, 2007).
    All is done twice, after which nothing but rounding is left along earlier rows. Beside the frame a few
    blocks are held.
    """
    frame = np.empty((number, size))
    for start in range(0, number, _BLOCK):
        before, block = frame[:start], random.standard_normal((min(_BLOCK, number - start), size))
        for _ in range(2):
            q, r = np.linalg.qr((block - block @ before.T @ before).T)
            block = (q * np.copysign(1.0, np.diagonal(r))).T
        frame[start : start + len(block)] = block
    return frame


class WeightedSum:
    """sum over k of w_k v_k, added up a chunk of vectors v at a time.

    It is kept in float32 where the dtype is narrower: in float16 a sum of 64 terms overflows at a mean of
    1024, and one of small terms loses digits.
    """

    def __init__(self, arrays: Arrays, size: int) -> None:
        self._narrow = arrays
        self._wide = arrays if arrays.itemsize >= 4 else Arrays(arrays.backend, arrays.device, "float32")
        self._total = self._wide.zeros((size,))

    def add(self, weights: Array, vectors: Array) -> None:
        """Add the chunk `vectors` (k, size) with `weights` (k,)."""
        self._total = self._total + self._widened(weights) @ self._widened(vectors)

    def divided(self, by: float) -> Array:
        """The sum so far divided by a number, in the dtype of the vectors, shape (size,)."""
        return self._narrow.xp.astype(self._total / by, self._narrow.dtype_object, copy=False)

    def _widened(self, array: Array) -> Array:
        return self._wide.xp.astype(array, self._wide.dtype_object, copy=False)
