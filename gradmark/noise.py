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
