"""A chain of dense layers at a point, and the buffers in which a chunk of members goes through it.

States are (members, + rows and - rows, units). Both sides have the same x in the first layer, whose x W^T is
computed once for all; what moves is added to it for each member (`layers`).
"""

import math
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from methods.evolution.low_rank.layers import LowRankLayer, Noise

_ROWS = 1024
"""So many that a product with W is as fast as any, and so few that their states stay near the core."""
_STRIP = 2**17
"""Numbers that are moved and activated together: they are still near the core the second time."""
_FEW = 16
"""Units of a layer, such as the last, that take less time than the calls for each member."""


class At:
    """A chain at a point, for the rows of a draw."""

    def __init__(self, layers: list[LowRankLayer], point: Parameters, draw: Draw) -> None:
        here = {name: to_numpy(array) for name, array in point.items()}
        self.own = [{short: here[full] for short, full in layer.names.items()} for layer in layers]
        self.layers, self.draw = layers, draw.map(to_numpy)
        self.x = self.draw.arrays["inputs"]
        self.base = np.tile(self.x @ self.own[0]["weight"].T, (2, 1))
        self.together = max(1, _ROWS // len(self.base))
        self.sides = [layer.sides(draw.count) for layer in layers]


class Rooms:
    """Buffers that grow where they must."""

    def __init__(self, dtype: Any) -> None:
        self._dtype, self._pool = dtype, dict[Any, Any]()

    def room(self, place: Any, *shape: int) -> Array:
        """An array of this `shape` in the buffer `place`."""
        number = math.prod(shape)
        if place not in self._pool or self._pool[place].size < number:
            self._pool[place] = np.empty(number, self._dtype)
        return self._pool[place][:number].reshape(shape)


class Lane:
    """The buffers in which one chunk of members goes through a chain."""

    def __init__(self, dtype: Any) -> None:
        from scipy.linalg import get_blas_funcs

        self._add_product = get_blas_funcs("gemm", dtype=dtype)
        self._states = Rooms(dtype)
        self._left: dict[tuple[int, int], Any] = {}

    def outputs(self, at: At, noise: list[Noise]) -> Array:
        """The outputs (k, 2 B, units) of up to `at.together` members, in a buffer."""
        z = h = at.x[None]
        for index, (layer, own, moves) in enumerate(zip(at.layers, at.own, noise, strict=True)):
            z = self._states.room(index % 2, len(moves.outer), len(at.base), layer.units)
            left = layer.left(self._room(index, at), at.sides[index], h, moves)
            if index > 0:
                np.matmul(h.reshape(-1, h.shape[-1]), own["weight"].T, out=z.reshape(-1, layer.units))
            strip = max(1, _STRIP // z[0].size)
            for start in range(0, len(z), strip):
                part = z[start : start + strip]
                if index == 0:
                    part[...] = at.base
                self._add(part, left[start:], moves.outer[start:])
                layer.activate(part, at.draw)
            h = z
        return z

    def _add(self, z: Array, left: Array, outer: Array) -> None:
        """z += left outer, member by member: BLAS has its columns in order where NumPy has its rows."""
        if z.shape[-1] < _FEW:
            z += np.matmul(left[: len(z)], outer[: len(z)])
            return
        for each, a, b in zip(z, left, outer, strict=False):
            self._add_product(1, b.T, a.T, 1, each.T, overwrite_c=1)

    def _room(self, index: int, at: At) -> Array:
        """For the left factors of a layer: their columns of ones are written once."""
        key = (index, len(at.base))
        if key not in self._left:
            self._left[key] = np.tile(at.sides[index], (at.together, 1, 1))
        return self._left[key]
