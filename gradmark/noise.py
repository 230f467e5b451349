"""Search noise: the random directions of forward gradients and evolution strategies, a few at a time."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.noise_laws import noise_law, write_signs
from gradmark.random import generator, stream

LAWS = ("gaussian", "rademacher", "orthonormal")
"""What `noise_rows` draws; one orthonormal direction by itself has the law "sphere"."""
_NUMBERS = 2**16
"""Numbers of a block of members: making its generator takes less than a tenth of filling it."""
_PIECE = 2**15
"""Numbers of a long member that are made at once: so few that they stay near the core, and whole words of
random bits, so that the next piece begins with a new one."""
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


def noise_rows(
    arrays: Arrays, law: str, seed: int, number: int, size: int, chunk: int, *, first: int = 0
) -> Iterator[Array]:
    """`number` vectors e of `size`, E[e e^T] = I, of one of `LAWS` or "sphere", as `normal_rows` yields them.

    They are the vectors `first` to `first` + `number` - 1 of the endless sequence of `seed`: whoever knows
    the seed makes any part of it again, without those before (`Members`). Gaussian, rademacher and sphere
    vectors are independent. Orthonormal ones, times sqrt(size), are at most `size` and known only together:
    their frame of number x size float64 numbers is held, 8 bytes each, and `first` must be 0.

    >>> [rows.shape for rows in noise_rows(Arrays(), "orthonormal", seed=0, number=3, size=3, chunk=2)]
    [(2, 3), (1, 3)]
    """
    if law == "orthonormal":
        frame = orthonormal_rows(generator(seed, "noise"), number, size)
        for start in range(0, number, chunk):
            yield arrays.array(math.sqrt(size) * frame[start : start + chunk])
        return
    members = Members(law, seed, size)
    for start in range(first, first + number, chunk):
        yield arrays.array(members.narrow(start, min(start + chunk, first + number)))


class Members:
    """An endless sequence of independent random vectors, any part of which can be made by itself.

    Member i has the numbers of its block's generator, keyed by (seed, block): no generator is made for each
    member, which takes longer than a small vector does. A block holds 2^16 numbers, or one member. The last
    block that was asked for in part is kept.
    """

    def __init__(self, law: str, seed: int, size: int) -> None:
        known = noise_law(law)
        assert known is not None, law
        self._law, self._seed, self._size = known, seed, size
        self._together = max(1, _NUMBERS // max(1, size))
        self._kept: tuple[int, Any] = (-1, None)

    def rows(self, start: int, stop: int) -> Any:
        """Members `start` to `stop` - 1, float64, shape (stop - start, size)."""
        parts = list(self.parts(start, stop))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def narrow(self, start: int, stop: int) -> Any:
        """The same in the narrowest dtype that holds them: signs in int8, in an eighth of the time."""
        if not self._law.signs:
            return self.rows(start, stop)
        rows = np.empty((stop - start, self.width), np.int8)
        self.write(start, stop, 1, rows)
        return rows[:, : self._size]

    def parts(self, start: int, stop: int) -> Iterator[Any]:
        """The same, block by block as they are made, without a copy."""
        while start < stop:
            block, offset = divmod(start, self._together)
            upto = min(self._together, offset + stop - start)
            yield self._block(block, upto)[offset:upto]
            start += upto - offset

    @property
    def width(self) -> int:
        """The length of the rows that `write` fills: of signs whole bytes, of other laws `size`."""
        return -(-self._size // 8) * 8 if self._law.signs else self._size

    def write(self, start: int, stop: int, scale: float, out: Any) -> None:
        """Those members times `scale`, written into `out` (stop - start, `width`) and rounded to its dtype.

        What lies behind `size` in a row is of no use. Signs take a tenth of the time that `rows` does.
        """
        while start < stop:
            block, offset = divmod(start, self._together)
            number = min(self._together - offset, stop - start)
            if self._law.signs:
                write_signs(stream(self._seed, "noise", block), offset, scale, out[:number])
            else:
                made = self._block(block, offset + number)[offset:]
                np.multiply(made[:number], scale, out=out[:number], casting="same_kind")
            start, out = start + number, out[number:]

    def pieces(self, member: int, scale: float, room: Any) -> Iterator[tuple[int, Any]]:
        """One member's numbers times `scale`, a piece at a time: where it begins, and the piece.

        They are written into `room`, a vector of whole blocks of 32 numbers: each to its place where `room`
        holds all, else all to the beginning. A member that fills a block is not held but for a piece. Not
        for the law sphere, whose numbers are known together alone.
        """
        random, whole = stream(self._seed, "noise", member), len(room) >= self._size
        for start in range(0, self._size, _PIECE):
            out = room[start:] if whole else room
            number = min(_PIECE, self._size - start)
            if self._together > 1:
                np.multiply(
                    self.rows(member, member + 1)[0, start : start + number],
                    scale,
                    out=out[:number],
                    casting="same_kind",
                )
            elif self._law.signs:
                write_signs(random, 0, scale, out[None, : -(-number // 8) * 8])
            else:
                made = self._law.rows(random, 1, number)[0]
                np.multiply(made, scale, out=out[:number], casting="same_kind")
            yield start, out[:number]

    def _block(self, block: int, upto: int) -> Any:
        """At least the first `upto` members of a block; all where it is asked for again, for more of them."""
        number, members = self._kept
        if number != block or len(members) < upto:
            made = self._together if number == block else upto
            members = self._law.rows(stream(self._seed, "noise", block), made, self._size)
            self._kept = (block, members)
        return members


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
