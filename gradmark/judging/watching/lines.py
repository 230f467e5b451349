"""Queries along lines: which are mirror images or repetitions of others, and which stand at the point."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.watching.watched import Hidden, Queries

_SAME_LINE = 0.99
"""|cosine| above which two directions are one line, not yet exactly mirrored. Independent dense directions of
17 numbers come so near with a probability of 1e-14."""
_STANDSTILL = 8.0
"""A query within so many roundings of the point stands at the point."""
_DENSE = 64
"""Two directions with so many non-zero numbers are equal by chance with a probability of at most 2^-64."""


@dataclass(frozen=True)
class Lines:
    """K distinct lines through the point.

    `directions` (K, P) has the first direction of each, `rounding` (K, P) its rounding. `ahead` and `behind`
    (K, N) say which queries lie on which side; `unequal` whether their distances from the point differ by
    more than rounding explains, `midpoint` the largest |x+ + x- - 2 x| / 2 over all mirrored queries, in
    numbers, and `midpoint_rounding` what rounding explains of it.
    """

    directions: Any
    rounding: Any
    ahead: Any
    behind: Any
    unequal: bool
    midpoint: float
    midpoint_rounding: float

    @property
    def count(self) -> int:
        """K."""
        return len(self.directions)

    @property
    def moves(self) -> int:
        """How many queries do not stand at the point."""
        return int(self.ahead.sum() + self.behind.sum())

    @property
    def mirrored(self) -> bool:
        """Whether every line has as many queries behind as ahead."""
        return bool(np.all(self.ahead.sum(axis=1) == self.behind.sum(axis=1)))

    @property
    def one_sided(self) -> bool:
        """Whether no line has a query behind the point."""
        return not self.behind.any()

    @property
    def repeated(self) -> int:
        """How many queries repeat another one exactly."""
        sides = np.concatenate([self.ahead.sum(axis=1), self.behind.sum(axis=1)])
        return int(np.sum(np.maximum(sides - 1, 0)))

    @property
    def dense(self) -> bool:
        """Whether directions have so many numbers that none is met twice by chance."""
        return bool(np.all(np.count_nonzero(self.directions, axis=1) >= _DENSE))


def lines(queries: Queries) -> Lines:
    """Sort the queries of one call into lines. Raises `Hidden` where there are none."""
    d, rounding = queries.directions, queries.rounding
    moved = np.flatnonzero(np.any(np.abs(d) > _STANDSTILL * rounding, axis=1))
    if not len(moved) or not np.all(np.isfinite(queries.values)):
        raise Hidden("none of its queries moves away from the point, or the loss there is not finite")
    cosines = _cosines(d[moved], d[moved])
    first = np.argmax(np.abs(cosines) > _SAME_LINE, axis=1)
    heads, line = np.unique(first, return_inverse=True)
    sign = np.sign(cosines[np.arange(len(moved)), first])
    ahead, behind = np.zeros((2, len(heads), len(d)), dtype=bool)
    ahead[line[sign > 0], moved[sign > 0]] = True
    behind[line[sign < 0], moved[sign < 0]] = True
    chosen, noise = d[moved][heads], rounding[moved][heads]
    off, allowed = _off_mirror(d, rounding, ahead, behind)
    return Lines(chosen, noise, ahead, behind, _unequal(d[moved], heads, line), off, allowed)


def shared(one: Lines, other: Lines) -> int:
    """How many lines of `one` are also lines of `other`."""
    if one.directions.shape[1:] != other.directions.shape[1:] or not one.count or not other.count:
        return 0
    return int(np.sum(np.any(np.abs(_cosines(one.directions, other.directions)) > _SAME_LINE, axis=1)))


def _cosines(a: Any, b: Any) -> Any:
    return _unit(a) @ _unit(b).T


def _unit(rows: Any) -> Any:
    norms = np.linalg.norm(np.asarray(rows, dtype=np.float64), axis=1, keepdims=True)
    return np.asarray(rows, dtype=np.float64) / np.where(norms > 0, norms, 1.0)


def _unequal(d: Any, heads: Any, line: Any) -> bool:
    lengths = np.linalg.norm(np.asarray(d, dtype=np.float64), axis=1)
    return bool(np.any(np.abs(lengths - lengths[heads][line]) > (1 - _SAME_LINE) * lengths))


def _off_mirror(d: Any, rounding: Any, ahead: Any, behind: Any) -> tuple[float, float]:
    """The largest distance of a midpoint from the point in one coordinate, and what rounding explains.

    Each of the two queries is rounded once, and a method that moves the parameters in place adds a rounding
    for each move and leaves a trace of each in all that follow: N roundings in all, that add up like sqrt(N).
    """
    worst, allowed = 0.0, 0.0
    if not behind.any():
        return worst, allowed
    steps = 4 * np.sqrt(len(d))
    for plus, minus in zip(ahead, behind, strict=True):
        for i, j in zip(np.flatnonzero(plus), np.flatnonzero(minus), strict=False):
            middle = np.abs(d[i] + d[j]) / 2
            limit = steps * np.maximum(rounding[i], rounding[j])
            k = int(np.argmax(middle - limit))
            if middle[k] - limit[k] > worst - allowed or worst == 0.0:
                worst, allowed = float(middle[k]), float(limit[k])
    return worst, allowed
