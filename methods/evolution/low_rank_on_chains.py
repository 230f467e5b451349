"""Low-rank moves on chains of dense layers: all members' rows through one product with each W.

    z = x W^T + b +- sigma ((x B) A^T / sqrt(r) + e_b)

States are (members, + rows and - rows, units). Both sides have the same x in the first layer, whose x W^T is
computed once for all. The rest is one thin product for each member, added where it stands: of +-x B and two
columns of +-1 and 1 with A^T, e_b and b. Members go through together in chunks of about `_ROWS` rows; their
noise is held, for as many as `_KEPT` numbers, until one product a layer weights it.

On torch's CPU all of it runs on NumPy views of the tensors, where tanh takes a twelfth of the time.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.layer import InPlace, NamedLayer
from gradmark.noise import Members
from gradmark.parameters import Parameters, size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import count
from methods.evolution.factors import Place, numbers, places, weighted
from methods.evolution.shaping import shaped

_ROWS = 1024
"""So many that a product with W is as fast as any, and so few that their states stay near the core."""
_STRIP = 2**17
"""Numbers that are moved and activated together: they are still near the core the second time."""
_KEPT = 2**18
"""Numbers, or P of them if that is more: enough for a product worth its name, little beside the states."""


@dataclass(frozen=True)
class Step:
    """An affine layer, where its noise stands in a member's row, and the function behind it, if any."""

    affine: NamedLayer
    place: Place
    sigma: float
    function: Any
    dtype: Any

    @cached_property
    def biased(self) -> bool:
        """Whether it has a bias, whose noise stands behind A."""
        return "bias" in self.affine.names

    @cached_property
    def _scale(self) -> Any:
        """What multiplies A^T, and e_b below it."""
        rank = self.place.rank
        scale = [self.sigma / math.sqrt(rank)] * rank + [self.sigma] * self.biased
        return np.array(scale, self.dtype)[:, None]

    @cached_property
    def _overwrites(self) -> bool:
        layer = self.function
        return isinstance(layer, InPlace) and layer.works_in_place and layer.overwrites_input

    def left(self, rows: Array, bias: Array | None) -> Array:
        """A^T, e_b and b below each other, scaled, of members whose noise is `rows`: (k, r + 2, m)."""
        moved, units = len(self._scale), self.place.shape[0]
        left = np.empty((len(rows), moved + self.biased, units), self.dtype)
        noise = rows[:, self.place.middle : self.place.middle + moved * units]
        np.multiply(noise.reshape(-1, moved, units), self._scale, out=left[:, :moved])
        if bias is not None:
            left[:, moved] = bias
        return left

    def ones(self, members: int, rows: int) -> Array:
        """+-h B, +-1 and 1 beside each other, (members, 2 rows, r + 2), with 1 where h B will be."""
        ones = np.ones((members, 2 * rows, self.place.rank + 2 * self.biased), self.dtype)
        ones[:, rows:, : len(self._scale)] = -1
        return ones

    def right(self, ones: Array, h: Array, rows: Array) -> Array:
        """`ones` with +-h B in it, for h of the + rows of all members (1, B, n), or of each (k, 2 B, n)."""
        right, count, b = ones[: len(rows)], ones.shape[1] // 2, self.place.factors(rows)[1]
        same, along = h.shape[1] == count, right[..., : self.place.rank]
        ahead, behind = along[:, :count], along[:, count:]
        np.matmul(h, b.transpose(0, 2, 1), out=ahead if same else along)
        np.negative(ahead if same else behind, out=behind)
        return right

    def activate(self, z: Array, draw: Draw) -> None:
        """Write the input of the next layer over `z`."""
        if self._overwrites:
            self.function.forward_into({}, z, z)
        elif self.function is not None:
            z[...] = self.function.forward({}, z, draw)[0]


class At:
    """A chain at a point, for the rows of a draw."""

    def __init__(self, steps: list[Step], point: Parameters, draw: Draw) -> None:
        here = {name: to_numpy(array) for name, array in point.items()}
        self.steps, self.draw = steps, draw.map(to_numpy)
        self.own = [step.affine.own(here) for step in steps]
        self.x = self.draw.arrays["inputs"]
        self.base = np.tile(self.x @ self.own[0]["weight"].T, (2, 1))
        self.together = max(1, _ROWS // (2 * draw.count))
        self.ones = [step.ones(self.together, draw.count) for step in steps]
        self._states = [np.empty(0, self.x.dtype)] * 2

    def outputs(self, add_product: Any, rows: Array) -> Array:
        """The outputs of up to `together` members with the noise `rows` (k, numbers): (k, 2 B, units)."""
        z = h = self.x[None]
        for index, (step, own) in enumerate(zip(self.steps, self.own, strict=True)):
            z = self._state(index % 2, len(rows), step.place.shape[0])
            left, right = step.left(rows, own.get("bias")), step.right(self.ones[index], h, rows)
            if index == 0:
                z[...] = self.base
            else:
                np.matmul(h.reshape(-1, h.shape[-1]), own["weight"].T, out=z.reshape(-1, z.shape[-1]))
            strip = max(1, _STRIP // z[0].size)
            for start in range(0, len(rows), strip):
                for each in range(start, min(start + strip, len(rows))):
                    # BLAS has its columns in order where NumPy has its rows: z += right left, transposed.
                    add_product(1, left[each].T, right[each].T, 1, z[each].T, overwrite_c=1)
                step.activate(z[start : start + strip], self.draw)
            h = z
        return z

    def _state(self, place: int, members: int, units: int) -> Array:
        number = members * 2 * self.draw.count * units
        if self._states[place].size < number:
            self._states[place] = np.empty(number, self.x.dtype)
        return self._states[place][:number].reshape(members, -1, units)


class ChainKernel:
    """The estimate on one chain. What it returns is its own buffer, written anew in each call."""

    def __init__(self, problem: Problem, criterion: Any, steps: list[Step], found: dict[str, Place]) -> None:
        from scipy.linalg import get_blas_funcs

        self._problem, self._criterion, self._steps, self._places = problem, criterion, steps, found
        self._dtype, self._units = np.dtype(problem.arrays.dtype), steps[-1].place.shape[0]
        self._add_product = get_blas_funcs("gemm", dtype=self._dtype)
        shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}
        self._result = {name: np.empty(shape, self._dtype) for name, shape in shapes.items()}

    def estimate(
        self, point: Parameters, draw: Draw, members: Members, pairs: int, shaping: str
    ) -> Parameters:
        """That of `methods.evolution.mirrored`, from the first `pairs` of `members`."""
        at, sigma = At(self._steps, point, draw), self._steps[0].sigma
        count(forward=2 * pairs * share_of_rows(self._problem, draw))
        per_member = max(numbers(self._places), 2 * draw.count * self._units)
        held = max(1, max(_KEPT, size(point)) // per_member)
        groups = [(start, min(start + held, pairs)) for start in range(0, pairs, held)]
        noise = _Noise(members, self._dtype)
        losses = (self._losses(at, noise.rows(*group)) for group in groups)
        if shaping != "identity":
            every = shaped(self._problem.arrays, shaping, np.concatenate(list(losses), axis=1))
            losses = (to_numpy(every)[:, start:stop] for start, stop in groups)
        for (start, stop), (above, below) in zip(groups, losses, strict=True):
            weights = (above - below) / (2 * pairs * sigma)
            weighted(self._places, noise.rows(start, stop), weights, self._result, more=start > 0)
        return self._in_their_arrays()

    def _losses(self, at: At, rows: Array) -> Array:
        """Above and below, (2, k), of the members whose noise is `rows`."""
        outputs = np.empty((len(rows), 2 * at.draw.count, self._units), self._dtype)
        for start in range(0, len(rows), at.together):
            chunk = slice(start, start + at.together)
            outputs[chunk] = at.outputs(self._add_product, rows[chunk])
        both = outputs.reshape(-1, at.draw.count, self._units)
        return self._criterion.value(both, at.draw).reshape(-1, 2).T

    def _in_their_arrays(self) -> Parameters:
        if self._problem.arrays.backend == "numpy":
            return dict(self._result)
        return {name: self._problem.arrays.xp.from_numpy(array) for name, array in self._result.items()}


class _Noise:
    """The numbers of members in a buffer; those asked for last are kept."""

    def __init__(self, members: Members, dtype: Any) -> None:
        self._members, self._dtype = members, dtype
        self._kept: tuple[tuple[int, int], Any] = ((0, 0), None)

    def rows(self, start: int, stop: int) -> Array:
        """Members `start` to `stop` - 1, (stop - start, numbers)."""
        if self._kept[0] != (start, stop):
            rows = self._members.rows(start, stop).astype(self._dtype)
            self._kept = ((start, stop), rows)
        return self._kept[1]


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
    found = places(problem.parameters, rank)
    steps = [
        Step(named, found[named.names["weight"]], sigma, function, np.dtype(arrays.dtype))
        for named, function in zip(chain.affine, (*chain.between, None), strict=True)
    ]
    return ChainKernel(problem, here.criterion, steps, found)
