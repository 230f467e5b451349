"""Moves of low rank: what a member draws for each parameter, and the move that it makes of that.

A parameter of shape (m, n) moves by E = A B^T / sqrt(r), A of shape (m, r), B of shape (n, r); any other by
plain numbers of the same law. Every number of A, B and the rest has mean 0 and variance 1, so has every
number of E, and two numbers of E are not correlated. But they are not independent: for r = 1 and signs, the
product of the four corners of any rectangle in E is always +1.

A member's row of numbers has B^T (r, n), then A^T (r, m), parameter after parameter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, to_numpy
from gradmark.parameters import Parameters

LAWS = {"gaussian": "gaussian", "signs": "rademacher"}
"""The laws of the factors, and what `gradmark.noise_laws` calls them."""


@dataclass(frozen=True)
class Place:
    """Where one parameter's numbers stand in a member's row: from `start` to `stop` - 1."""

    shape: tuple[int, ...]
    rank: int
    start: int

    @property
    def matrix(self) -> bool:
        """Whether it moves by a product of factors."""
        return len(self.shape) == 2

    @property
    def middle(self) -> int:
        """Where A begins, behind B; the start of what has no factors."""
        return self.start + (self.rank * self.shape[1] if self.matrix else 0)

    @property
    def stop(self) -> int:
        """Behind its last number."""
        return self.middle + (self.rank * self.shape[0] if self.matrix else math.prod(self.shape))


def places(parameters: Parameters, rank: int) -> dict[str, Place]:
    """Where the numbers of each parameter stand, by name."""
    found, start = {}, 0
    for name, array in parameters.items():
        found[name] = Place(tuple(array.shape), rank, start)
        start = found[name].stop
    return found


def numbers(found: Mapping[str, Place]) -> int:
    """How many numbers a member draws."""
    return max((place.stop for place in found.values()), default=0)


def moves(xp: Any, found: Mapping[str, Place], rows: Array) -> Array:
    """The moves E of all parameters as vectors (k, P), of members whose numbers are `rows` (k, all)."""
    parts, number = [], rows.shape[0]
    for place in found.values():
        part = rows[:, place.start : place.stop]
        if place.matrix:
            b = xp.reshape(rows[:, place.start : place.middle], (number, place.rank, place.shape[1]))
            a = xp.reshape(rows[:, place.middle : place.stop], (number, place.rank, place.shape[0]))
            product = xp.matmul(xp.matrix_transpose(a), b) / math.sqrt(place.rank)
            part = xp.reshape(product, (number, math.prod(place.shape)))
        parts.append(part)
    return xp.concat(parts, axis=1)


def variance_factor(gradient: Parameters, rank: int, law: str) -> float:
    """v in E|g_hat - g|^2 = v |g|^2 / M of M mirrored pairs, where no third derivative is felt.

    With c = <G, E> the mean of c^2 |E|^2 over E = A B^T / sqrt(r) is, of one matrix (m, n), |G|^2 times

        gaussian  m n + 2 + (2 (m + n) + 2) / r,        signs  m n + 2 - 2/r:

    of the four sums over the rank, r (r - 1) pairs of different terms give m n, twice as many 1, and the r
    equal ones (m + 2) (n + 2), or m n. Other parameters give P + 2, or P. Arrays are independent, so that
    v is P - 1 and the mean of what each has beyond its own size, weighted by |G|^2.
    """
    squares = {name: _square(array) for name, array in gradient.items()}
    total = sum(squares.values())
    if total == 0:
        return math.inf
    further = (squares[name] * beyond(tuple(gradient[name].shape), rank, law) for name in gradient)
    number = sum(math.prod(array.shape) for array in gradient.values())
    return float(number - 1 + sum(further) / total)


def beyond(shape: tuple[float, ...], rank: int, law: str) -> float:
    """What a parameter of this shape adds to v beyond its size, if all of g is in it."""
    if len(shape) != 2:
        return 2.0 if law == "gaussian" else 0.0
    return 2 + (2 * sum(shape) + 2) / rank if law == "gaussian" else 2 - 2 / rank


def _square(array: Array) -> float:
    return float((to_numpy(array).astype(float) ** 2).sum())
