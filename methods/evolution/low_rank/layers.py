"""One dense layer under low-rank moves: z = x W^T + b +- sigma ((x B) A^T / sqrt(r) + e_b).

What moves is a thin product for each member, of +-x B, +-1 and 1 with A^T, e_b and b, as columns and rows.
Its right factor is the noise as it was drawn, and b below it; all scales stand in the left one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import InPlace
from methods.evolution.low_rank.factors import Place


@dataclass(frozen=True)
class Noise:
    """k members' noise in one layer: `outer` has A^T, e_b and b, (k, r + 2, m), `inner` B^T, (k, r, n)."""

    outer: Array
    inner: Array

    def part(self, members: slice) -> "Noise":
        """That of some of them."""
        return Noise(self.outer[members], self.inner[members])


@dataclass(frozen=True)
class LowRankLayer:
    """An affine layer, where its noise stands in a member's row, and the function behind it, if any."""

    names: Mapping[str, str]
    place: Place
    function: Any
    sigma: float
    dtype: Any

    @property
    def units(self) -> int:
        """m."""
        return self.place.shape[0]

    @cached_property
    def moved(self) -> int:
        """The rank of what moves: r, and 1 for the bias."""
        return self.place.rank + ("bias" in self.names)

    @cached_property
    def thin(self) -> int:
        """And 1 more for b itself."""
        return self.place.rank + 2 * ("bias" in self.names)

    @cached_property
    def _overwrites(self) -> bool:
        layer = self.function
        return isinstance(layer, InPlace) and layer.works_in_place and layer.overwrites_input

    def noise(self, room: Array, rows: Array, bias: Array | None) -> Noise:
        """That of members whose numbers are `rows` (k, all); `room` is a buffer for `outer`."""
        place, moved, number = self.place, self.moved, len(rows)
        room[:, :moved] = rows[:, place.middle : place.middle + moved * self.units].reshape(number, moved, -1)
        if bias is not None:
            room[:, moved] = bias
        return Noise(room, rows[:, place.start : place.middle].reshape(number, place.rank, -1))

    def sides(self, rows: int) -> Array:
        """The left factor of one member, (2 rows, r + 2), with +-sigma / sqrt(r) where x B will be."""
        rank, sides = self.place.rank, np.ones((2 * rows, self.thin), self.dtype)
        sides[:, : self.moved] = self.sigma
        sides[:, :rank] /= math.sqrt(rank)
        sides[rows:, : self.moved] *= -1
        return sides

    def left(self, room: Array, sides: Array, h: Array, noise: Noise) -> Array:
        """The left factor, written into `room`, which holds `sides` of each member at first.

        h is that of one side, the same for all members (1, B, n), or that of both sides of each (k, 2 B, n).
        """
        left, rank, count = room[: len(noise.inner)], self.place.rank, h.shape[1]
        along = left[..., :rank]
        np.matmul(h, noise.inner.transpose(0, 2, 1), out=along[:, :count])
        along[:, count:] = along[:, : along.shape[1] - count]
        along *= sides[:, :rank]
        return left

    def activate(self, z: Array, draw: Draw) -> None:
        """Write the input of the next layer over `z`."""
        if self._overwrites:
            self.function.forward_into({}, z, z)
        elif self.function is not None:
            z[...] = self.function.forward({}, z, draw)[0]

    def weigh(self, noise: Noise, weights: Array, out: Mapping[str, Array], *, more: bool) -> None:
        """Write sum over k of w_k E_k into `out`, or with `more` add it: A^T diag(w) B and w e_b."""
        rank = self.place.rank
        a = noise.outer[:, :rank] * (weights / math.sqrt(rank))[:, None, None]
        _write(
            a.reshape(-1, self.units).T,
            noise.inner.reshape(len(a) * rank, -1),
            out[self.names["weight"]],
            more,
        )
        if "bias" in self.names:
            _write(weights, noise.outer[:, rank], out[self.names["bias"]], more)


def _write(left: Array, right: Array, out: Array, more: bool) -> None:
    total = np.matmul(left, right, out=None if more else out)
    if more:
        out += total
