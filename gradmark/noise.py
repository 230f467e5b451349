"""Search noise: the random directions of forward gradients and evolution strategies, a few at a time."""

from collections.abc import Iterator

from gradmark.arrays import Array, Arrays
from gradmark.random import generator


def normal_rows(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """`number` standard normal vectors of `size`, the search noise of `seed`, at most `chunk` at a time.

    Yields arrays of shape (at most `chunk`, `size`), so that nobody holds number x size. The numbers do not
    depend on `chunk`, backend or dtype, except for the one rounding to the dtype.

    >>> [rows.shape for rows in normal_rows(Arrays(), seed=0, number=5, size=3, chunk=2)]
    [(2, 3), (2, 3), (1, 3)]
    """
    random = generator(seed, "noise")
    for start in range(0, number, chunk):
        yield arrays.array(random.standard_normal((min(chunk, number - start), size)))


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
