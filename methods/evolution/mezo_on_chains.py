"""Replayed moves on a chain of dense layers: the result itself holds a move until its losses are known.

Of a pair, sigma e is written into the result once. The first layer has W x + b +- (E x + e_b), of which the
part without noise is computed once for all pairs; each other layer is moved a few units at a time, in a
buffer, forth for the rows of one side and back for those of the other. Of the losses a number a pair is kept.
Then the moves are made again, a piece at a time, and added up by these numbers; the last stands there.

States are (sides, units, rows): few rows stand on the side of a product on which they are not packed.
"""

import math
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.dense_chain import DenseChain, chain_of
from gradmark.draw import Draw
from gradmark.layer import InPlace
from gradmark.noise import Members
from gradmark.parameters import Parameters, size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import count

_ROOM = 2**16
"""Numbers of weights that are moved together: so few that they stay near the core."""
_TOGETHER = 2**12
"""Outputs, of as many pairs as these are, whose loss is taken at once."""


class _At:
    """A chain at a point, for the rows of a draw."""

    def __init__(self, chain: DenseChain, point: Parameters, draw: Draw) -> None:
        here = {name: to_numpy(array) for name, array in point.items()}
        self.own, self.draw = [named.own(here) for named in chain.affine], draw.map(to_numpy)
        self.x = np.ascontiguousarray(self.draw.arrays["inputs"].T)
        self.base = self.own[0]["weight"] @ self.x + _column(self.own[0])


class ReplayingKernel:
    """The estimate on one chain. What it returns is its own buffer, written anew in each call."""

    def __init__(self, problem: Problem, here: Problem, chain: DenseChain, sigma: float) -> None:
        self._problem, self._chain, self._sigma = problem, chain, sigma
        self._criterion: Any = here.criterion
        self._dtype, self._size = np.dtype(problem.arrays.dtype), size(problem.parameters)
        self._result = np.empty(-(-self._size // 32) * 32, self._dtype)
        self._named = _views(self._result, problem.parameters)
        self._moves = [named.own(self._named) for named in chain.affine]
        self._room = np.empty(-(-max(_ROOM, *chain.widths) // 32) * 32, self._dtype)
        self._writes = [
            isinstance(each, InPlace) and each.works_in_place and each.overwrites_input
            for each in chain.between
        ]

    def estimate(self, point: Parameters, draw: Draw, members: Members, pairs: int) -> Parameters:
        """That of `methods.evolution.mirrored`, from the first `pairs` of `members`."""
        at = _At(self._chain, point, draw)
        count(forward=2 * pairs * share_of_rows(self._problem, draw))
        differences = self._differences(at, members, pairs)
        weights = differences / (2 * pairs * self._sigma)
        # The last move is there already, times sigma.
        self._result[: self._size] *= weights[-1] / self._sigma
        for pair in range(pairs - 1):
            for start, piece in members.pieces(pair, float(weights[pair]), self._room):
                self._result[start : start + len(piece)] += piece
        if self._problem.arrays.backend == "numpy":
            return dict(self._named)
        return {name: self._problem.arrays.xp.from_numpy(array) for name, array in self._named.items()}

    def _differences(self, at: _At, members: Members, pairs: int) -> Array:
        """Above minus below for each pair, (M,); the last move is left in the result."""
        shape = (2, at.draw.count, self._chain.widths[-1])
        together = max(1, _TOGETHER // (2 * shape[1] * shape[2]))
        found = np.empty(pairs, self._dtype)
        outputs = np.empty((min(together, pairs), *shape), self._dtype)
        for pair in range(pairs):
            for _ in members.pieces(pair, self._sigma, self._result):
                pass
            outputs[pair % together] = self._outputs(at).transpose(0, 2, 1)
            if (filled := pair % together + 1) == together or pair == pairs - 1:
                both = self._criterion.value(outputs[:filled].reshape(-1, *shape[1:]), at.draw).reshape(-1, 2)
                found[pair + 1 - filled : pair + 1] = both[:, 0] - both[:, 1]
        return found

    def _outputs(self, at: _At) -> Array:
        """The outputs at x + sigma e and at x - sigma e: (2, units, B)."""
        h = self._first(at)
        for index, (own, move) in enumerate(zip(at.own[1:], self._moves[1:], strict=True)):
            h = self._moved(self._activated(index, h, at.draw), own, move)
        return h

    def _first(self, at: _At) -> Array:
        change = self._moves[0]["weight"] @ at.x
        change += _column(self._moves[0])
        return np.stack([at.base + change, at.base - change])

    def _activated(self, index: int, z: Array, draw: Draw) -> Array:
        layer = self._chain.between[index]
        if not self._writes[index]:
            return layer.forward({}, z, draw)[0]
        layer.forward_into({}, z, z)
        return z

    def _moved(self, h: Array, own: Any, move: Any) -> Array:
        """The next pre-activations of both sides, some units at a time."""
        weight, e = own["weight"], move["weight"]
        units, inputs = weight.shape
        z = np.empty((2, units, h.shape[-1]), self._dtype)
        step = max(1, len(self._room) // inputs)
        for start in range(0, units, step):
            part = slice(start, start + step)
            room = self._room[: weight[part].size].reshape(-1, inputs)
            for side, shifted in enumerate((np.add, np.subtract)):
                np.matmul(shifted(weight[part], e[part], out=room), h[side], out=z[side, part])
        z += np.stack([_column(own) + _column(move), _column(own) - _column(move)])
        return z


def _views(vector: Array, like: Parameters) -> dict[str, Array]:
    """Parts of `vector`, one after the other, with these names and shapes."""
    named, start = {}, 0
    for name, array in like.items():
        stop = start + math.prod(array.shape)
        named[name], start = vector[start:stop].reshape(tuple(array.shape)), stop
    return named


def _column(own: Any) -> Any:
    return own["bias"][:, None] if "bias" in own else np.zeros((1, 1), own["weight"].dtype)


def replaying_kernel(problem: Problem, sigma: float) -> ReplayingKernel | None:
    """The kernel for a chain on the CPU in float32 or float64; None for any other problem."""
    arrays = problem.arrays
    if arrays.device != "cpu" or arrays.dtype not in ("float32", "float64"):
        return None
    here = problem.to(backend="numpy") if arrays.backend == "torch" else problem
    chain = chain_of(here)
    return None if chain is None else ReplayingKernel(problem, here, chain, sigma)
