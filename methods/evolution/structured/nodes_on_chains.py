"""Mirrored moves of the nodes of dense chains, in NumPy buffers: the fast form of `node_moves`.

    z = (h W^T + b) +- sigma u

States are (members, + rows and - rows, units). The first layer has the same z = x W^T + b for all. Where
noise is signs, each of its numbers is one of two, and so is what the function f behind it makes of it:

    f(z +- sigma u) = (f(z + sigma) + f(z - sigma)) / 2 +- u (f(z + sigma) - f(z - sigma)) / 2

so that the next layer takes one product for both sides, in place of two, and a part that all members share.
Members go through together in chunks of about `_ROWS` rows; their noise, scaled by sigma, is held for one
chunk.

On torch's CPU all of it runs on NumPy views of the tensors, where tanh takes a twelfth of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.dense_chain import DenseChain, chain_of
from gradmark.draw import Draw
from gradmark.layer import InPlace
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import count
from methods.evolution.structured.moves import Moves, Plan
from methods.forward.structured.activity_passes import Steps

_ROWS = 1024
"""So many that a product with W is as fast as any, and so few that their states stay near the core."""
_STRIP = 2**16
"""Numbers that are moved and activated together: they are still near the core the second time."""


@dataclass(frozen=True)
class At:
    """A chain at a point: each layer's own parameters, its inputs `x`, and the outputs of the last.

    `base` is what a layer has before it moves: the first, or the second where the first has but two values,
    which are then `half` apart, over sigma, to both sides.
    """

    own: Sequence[dict[str, Array]]
    x: Sequence[Array]
    outputs: Array
    base: Array
    half: Array | None


class ChainKernel:
    """The estimate on one chain."""

    def __init__(self, problem: Problem, chain: DenseChain, criterion: Any) -> None:
        from scipy.linalg import get_blas_funcs

        self._problem, self._chain, self._criterion = problem, chain, criterion
        self._dtype = np.dtype(problem.arrays.dtype)
        self._add_product = get_blas_funcs("gemm", dtype=self._dtype)
        # Asked once: to ask a protocol costs as much as a small product.
        self._overwrites = [
            isinstance(each, InPlace) and each.works_in_place and each.overwrites_input
            for each in chain.between
        ]
        self._buffers: dict[Any, Array] = {}

    def estimate(
        self, steps: Steps, point: Parameters, draw: Draw, plan: Plan, moves: Moves
    ) -> tuple[Array, Parameters]:
        """The loss and the estimate from the first pairs of `moves`."""
        pairs, sigma = plan.pairs, plan.sigma
        count(forward=(1 + 2 * pairs) * share_of_rows(self._problem, draw))
        rows = draw.map(to_numpy)
        at = self._at({name: to_numpy(array) for name, array in point.items()}, rows, plan)
        shapes, together = list(steps.shapes.values()), max(1, _ROWS // (2 * draw.count))
        s = [np.zeros((draw.count, 1, units), self._dtype) for _, units in shapes]
        for start in range(0, pairs, together):
            stop = min(start + together, pairs)
            u = self._buffer("u", stop - start, moves.width)
            moves.write(start, stop, sigma, u)
            parts = _split(u, shapes)
            # In two steps: float32 has no square of a small sigma.
            weights = self._differences(at, parts, rows) / (2 * pairs * sigma * draw.count) / sigma
            for total, part in zip(s, parts, strict=True):
                # For each row a product (1, members) by (members, units).
                total += np.matmul(weights.T[:, None, :], part.transpose(1, 0, 2))
        value = self._criterion.value(at.outputs, rows)
        return self._problem.arrays.array(value), self._in_their_arrays(at, s)

    def _at(self, point: Parameters, draw: Draw, plan: Plan) -> At:
        own, x, z = [named.own(point) for named in self._chain.affine], [draw.arrays["inputs"]], []
        for index, p in enumerate(own):
            z.append(x[-1] @ p["weight"].T + p.get("bias", 0))
            if index < len(own) - 1:
                x.append(self._activated(index, z[-1].copy(), draw))
        if len(own) == 1 or not plan.signs:
            return At(own, x, z[-1], z[0], None)
        above, below = (self._activated(0, z[0] + sign * plan.sigma, draw) for sign in (1, -1))
        middle = (above + below) / 2 @ own[1]["weight"].T + own[1].get("bias", 0)
        return At(own, x, z[-1], middle, (above - below) / (2 * plan.sigma))

    def _differences(self, at: At, parts: list[Array], draw: Draw) -> Array:
        """The losses of rows at +u less those at -u, (members, rows)."""
        first = 0
        if at.half is not None:
            first, parts = 1, [self._through_first(at, at.half, *parts[:2]), *parts[2:]]
        h: Any = None
        for index, part in enumerate(parts, first):
            members, rows, units = part.shape
            z = self._buffer(index % 2, members, 2, rows, units)
            if index > first:
                self._multiply(h, at.own[index], z)
            self._move(index, at.base if index == first else None, z, part, draw)
            h = z
        losses = self._criterion.row_losses(h.reshape(-1, *h.shape[2:]), draw).reshape(h.shape[:3])
        return losses[:, 0] - losses[:, 1]

    def _through_first(self, at: At, half: Array, part: Array, next_part: Array) -> Array:
        """What the second layer moves by, its own noise and that of the first."""
        moved = np.multiply(part, half, out=self._buffer("half", *part.shape))
        z = self._buffer("moved", *next_part.shape)
        np.matmul(moved.reshape(-1, part.shape[-1]), at.own[1]["weight"].T, out=z.reshape(-1, z.shape[-1]))
        z += next_part
        return z

    def _multiply(self, h: Array, own: dict[str, Array], z: Array) -> None:
        """h W^T + b into `z`."""
        bias, units = own.get("bias"), z.shape[-1]
        if bias is not None:
            z[...] = bias
        # BLAS has its columns in order where NumPy has its rows: z += h W^T, transposed.
        into, beta = z.reshape(-1, units).T, 0 if bias is None else 1
        rows = h.reshape(-1, h.shape[-1]).T
        self._add_product(1, own["weight"].T, rows, beta, into, trans_a=1, overwrite_c=1)

    def _move(self, index: int, base: Array | None, z: Array, part: Array, draw: Draw) -> None:
        """Make `z`, or `base` in it, the input of the next layer, moved to both sides, a strip at a time."""
        strip = max(1, _STRIP // z[0].size)
        for start in range(0, len(z), strip):
            u, here = part[start : start + strip], z[start : start + strip]
            np.add(here[:, 0] if base is None else base, u, out=here[:, 0])
            np.subtract(here[:, 1] if base is None else base, u, out=here[:, 1])
            if index < len(self._chain.between):
                self._activated(index, here, draw)

    def _activated(self, index: int, z: Array, draw: Draw) -> Array:
        """The input of the next layer, written over `z`."""
        function = self._chain.between[index]
        if self._overwrites[index]:
            function.forward_into({}, z, z)
        else:
            z[...] = function.forward({}, z, draw)[0]
        return z

    def _buffer(self, place: Any, *shape: int) -> Array:
        number = int(np.prod(shape))
        if place not in self._buffers or self._buffers[place].size < number:
            self._buffers[place] = np.empty(number, self._dtype)
        return self._buffers[place][:number].reshape(shape)

    def _in_their_arrays(self, at: At, s: list[Array]) -> Parameters:
        """dW = s^T x and db = 1^T s, in the order of the parameters."""
        found, arrays = dict[str, Array](), self._problem.arrays
        for named, total, x in zip(self._chain.affine, s, at.x, strict=True):
            own = {"weight": total[:, 0].T @ x, "bias": total[:, 0].sum(axis=0)}
            found |= {full: own[name] for name, full in named.names.items()}
        ordered = {name: found[name] for name in self._problem.parameters}
        if arrays.backend == "numpy":
            return ordered
        return {name: arrays.xp.from_numpy(array) for name, array in ordered.items()}


def _split(u: Array, shapes: list[tuple[int, ...]]) -> list[Array]:
    """The moves (members, N) as those of each layer, (members, rows, units)."""
    parts, start = [], 0
    for rows, units in shapes:
        parts.append(u[:, start : start + rows * units].reshape(-1, rows, units))
        start += rows * units
    return parts


def chain_kernel(problem: Problem) -> ChainKernel | None:
    """The kernel for a chain on the CPU in float32 or float64; None for any other problem."""
    arrays = problem.arrays
    if arrays.device != "cpu" or arrays.dtype not in ("float32", "float64"):
        return None
    here = problem.to(backend="numpy") if arrays.backend == "torch" else problem
    chain = chain_of(here)
    return None if chain is None else ChainKernel(problem, chain, here.criterion)
