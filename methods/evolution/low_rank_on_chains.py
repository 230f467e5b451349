"""Low-rank moves on chains of dense layers: all members' rows through one product with each W.

States are (members, + rows and - rows, units). Both sides have the same x in the first layer, whose x W^T is
computed once for all; what moves is added to it for each member (`low_rank_layers`). Members go through
together in chunks of about `_ROWS` rows, and their noise is held, `_KEPT` numbers of it, until one product a
layer weights it.

On torch's CPU all of it runs on NumPy views of the tensors, where tanh takes a twelfth of the time.
"""

import math
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.noise import Members
from gradmark.parameters import Parameters, size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import count
from methods.evolution.factors import numbers, places
from methods.evolution.low_rank_layers import LowRankLayer, Noise
from methods.evolution.shaping import shaped

_ROWS = 1024
"""So many that a product with W is as fast as any, and so few that their states stay near the core."""
_STRIP = 2**17
"""Numbers that are moved and activated together: they are still near the core the second time."""
_FEW = 16
"""Units of a layer, such as the last, that take less time than the calls for each member."""
_KEPT = 2**18
"""Numbers, or P of them if that is more: enough for a product worth its name, little beside the states."""


class _At:
    """A chain at a point, for the rows of a draw."""

    def __init__(self, layers: list[LowRankLayer], point: Parameters, draw: Draw) -> None:
        here = {name: to_numpy(array) for name, array in point.items()}
        self.own = [{short: here[full] for short, full in layer.names.items()} for layer in layers]
        self.layers, self.draw = layers, draw.map(to_numpy)
        self.x = self.draw.arrays["inputs"]
        self.base = np.tile(self.x @ self.own[0]["weight"].T, (2, 1))
        self.together = max(1, _ROWS // len(self.base))
        self.sides = [layer.sides(draw.count) for layer in layers]


class _Rooms:
    """Buffers that grow where they must."""

    def __init__(self, dtype: Any) -> None:
        self._dtype, self._pool = dtype, dict[Any, Any]()

    def room(self, place: Any, *shape: int) -> Array:
        """An array of this `shape` in the buffer `place`."""
        number = math.prod(shape)
        if place not in self._pool or self._pool[place].size < number:
            self._pool[place] = np.empty(number, self._dtype)
        return self._pool[place][:number].reshape(shape)


class _Lane:
    """The buffers in which one chunk of members goes through a chain."""

    def __init__(self, dtype: Any) -> None:
        from scipy.linalg import get_blas_funcs

        self._add_product = get_blas_funcs("gemm", dtype=dtype)
        self._states = _Rooms(dtype)
        self._left: dict[tuple[int, int], Any] = {}

    def outputs(self, at: _At, noise: list[Noise]) -> Array:
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

    def _room(self, index: int, at: _At) -> Array:
        """For the left factors of a layer: their columns of ones are written once."""
        key = (index, len(at.base))
        if key not in self._left:
            self._left[key] = np.tile(at.sides[index], (at.together, 1, 1))
        return self._left[key]


class ChainKernel:
    """The estimate on one chain. What it returns is its own buffer, written anew in each call."""

    def __init__(self, problem: Problem, criterion: Any, layers: list[LowRankLayer], numbers: int) -> None:
        self._problem, self._criterion, self._layers, self._numbers = problem, criterion, layers, numbers
        self._dtype, self._units = np.dtype(problem.arrays.dtype), layers[-1].units
        shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}
        self._result = {name: np.empty(shape, self._dtype) for name, shape in shapes.items()}
        self._lane, self._rooms = _Lane(self._dtype), _Rooms(self._dtype)

    def estimate(
        self, point: Parameters, draw: Draw, members: Members, pairs: int, shaping: str
    ) -> Parameters:
        """That of `methods.evolution.mirrored`, from the first `pairs` of `members`."""
        at, sigma, every = _At(self._layers, point, draw), self._layers[0].sigma, None
        count(forward=2 * pairs * share_of_rows(self._problem, draw))
        held = max(1, max(_KEPT, size(point)) // max(self._numbers, len(at.base) * self._units))
        groups = [(start, min(start + held, pairs)) for start in range(0, pairs, held)]
        if shaping != "identity":
            found = [self._losses(at, self._drawn(at, members, *group)) for group in groups]
            every = to_numpy(shaped(self._problem.arrays, shaping, np.concatenate(found, axis=1)))
        for start, stop in groups:
            noise = self._drawn(at, members, start, stop)
            above, below = self._losses(at, noise) if every is None else every[:, start:stop]
            for layer, each in zip(self._layers, noise, strict=True):
                weights = (above - below) / (2 * pairs * sigma)
                layer.weigh(each, weights.astype(self._dtype), self._result, more=start > 0)
        return self._in_their_arrays()

    def _drawn(self, at: _At, members: Members, start: int, stop: int) -> list[Noise]:
        """The noise of members `start` to `stop` - 1, layer by layer, in buffers."""
        rows = self._rooms.room("rows", stop - start, members.width)
        members.write(start, stop, 1.0, rows)
        return [
            layer.noise(self._rooms.room(index, len(rows), layer.thin, layer.units), rows, own.get("bias"))
            for index, (layer, own) in enumerate(zip(self._layers, at.own, strict=True))
        ]

    def _losses(self, at: _At, noise: list[Noise]) -> Array:
        """Above and below, (2, k)."""
        outputs = np.empty((len(noise[0].outer), len(at.base), self._units), self._dtype)
        for start in range(0, len(outputs), at.together):
            chunk = slice(start, start + at.together)
            outputs[chunk] = self._lane.outputs(at, [each.part(chunk) for each in noise])
        both = outputs.reshape(-1, at.draw.count, self._units)
        return self._criterion.value(both, at.draw).reshape(-1, 2).T

    def _in_their_arrays(self) -> Parameters:
        if self._problem.arrays.backend == "numpy":
            return dict(self._result)
        return {name: self._problem.arrays.xp.from_numpy(array) for name, array in self._result.items()}


def chain_kernel(problem: Problem, rank: int, sigma: float) -> ChainKernel | None:
    """The kernel for a chain on the CPU in float32 or float64; None for any other problem."""
    arrays = problem.arrays
    if arrays.device != "cpu" or arrays.dtype not in ("float32", "float64"):
        return None
    here = problem.to(backend="numpy") if arrays.backend == "torch" else problem
    chain = chain_of(here)
    if chain is None or [full for each in chain.affine for full in each.names.values()] != [
        *problem.parameters
    ]:
        return None
    found, dtype = places(problem.parameters, rank), np.dtype(arrays.dtype)
    layers = [
        LowRankLayer(named.names, found[named.names["weight"]], function, sigma, dtype)
        for named, function in zip(chain.affine, (*chain.between, None), strict=True)
    ]
    return ChainKernel(problem, here.criterion, layers, numbers(found))
