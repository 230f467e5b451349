"""Low-rank moves on chains of dense layers: all members' rows through one product with each W.

Members go through the chain in chunks of about a thousand rows (`lanes`), which threads may share.
Their noise is held, `_KEPT` numbers of it, until one product a layer weights it.

On torch's CPU all of it runs on NumPy views of the tensors, where tanh takes a twelfth of the time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from queue import SimpleQueue
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
from methods.evolution.low_rank.factors import numbers, places
from methods.evolution.low_rank.lanes import At, Lane, Rooms
from methods.evolution.low_rank.layers import LowRankLayer, Noise
from methods.evolution.shaping import shaped

_KEPT = 2**18
"""Numbers, or P of them if that is more: enough for a product worth its name, little beside the states."""


class ChainKernel:
    """The estimate on one chain. What it returns is its own buffer, written anew in each call."""

    def __init__(
        self, problem: Problem, criterion: Any, layers: list[LowRankLayer], numbers: int, workers: int
    ) -> None:
        self._problem, self._criterion, self._layers, self._numbers = problem, criterion, layers, numbers
        self._dtype, self._units = np.dtype(problem.arrays.dtype), layers[-1].units
        shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}
        self._result = {name: np.empty(shape, self._dtype) for name, shape in shapes.items()}
        self._rooms, self._workers, self._free = Rooms(self._dtype), workers, SimpleQueue[Lane]()
        for _ in range(workers):
            self._free.put(Lane(self._dtype))

    def estimate(
        self, point: Parameters, draw: Draw, members: Members, pairs: int, shaping: str
    ) -> Parameters:
        """That of `methods.evolution.mirrored`, from the first `pairs` of `members`."""
        at, sigma, every = At(self._layers, point, draw), self._layers[0].sigma, None
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

    def _drawn(self, at: At, members: Members, start: int, stop: int) -> list[Noise]:
        """The noise of members `start` to `stop` - 1, layer by layer, in buffers."""
        rows = self._rooms.room("rows", stop - start, members.width)
        members.write(start, stop, 1.0, rows)
        return [
            layer.noise(self._rooms.room(index, len(rows), layer.thin, layer.units), rows, own.get("bias"))
            for index, (layer, own) in enumerate(zip(self._layers, at.own, strict=True))
        ]

    def _losses(self, at: At, noise: list[Noise]) -> Array:
        """Above and below, (2, k)."""
        outputs = np.empty((len(noise[0].outer), len(at.base), self._units), self._dtype)

        def fill(start: int) -> None:
            chunk, lane = slice(start, start + at.together), self._free.get()
            try:
                outputs[chunk] = lane.outputs(at, [each.part(chunk) for each in noise])
            finally:
                self._free.put(lane)

        with self._each() as each:
            list(each(fill, range(0, len(outputs), at.together)))
        both = outputs.reshape(-1, at.draw.count, self._units)
        return self._criterion.value(both, at.draw).reshape(-1, 2).T

    @contextmanager
    def _each(self) -> Iterator[Callable[..., Any]]:
        """``map``, or that of threads in which the libraries of linear algebra start none of their own."""
        if self._workers == 1:
            yield map
            return
        with ThreadPoolExecutor(self._workers) as pool, self._libraries.limit(limits=1, user_api="blas"):
            yield pool.map

    @cached_property
    def _libraries(self) -> Any:
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController()

    def _in_their_arrays(self) -> Parameters:
        if self._problem.arrays.backend == "numpy":
            return dict(self._result)
        return {name: self._problem.arrays.xp.from_numpy(array) for name, array in self._result.items()}


def against_chains(problem: Problem) -> str | None:
    """Why there is no kernel for it, in words; None where there is one."""
    arrays, chain = problem.arrays, chain_of(problem)
    names = [full for each in chain.affine for full in each.names.values()] if chain else []
    if chain is None or names != list(problem.parameters):
        return f"{problem.call.name} on {arrays.backend} is no chain of dense layers"
    if arrays.device != "cpu" or arrays.dtype not in ("float32", "float64"):
        return f"it is on {arrays.device} in {arrays.dtype}, not on the cpu in float32 or float64"
    return None


def chain_kernel(problem: Problem, rank: int, sigma: float, workers: int = 1) -> ChainKernel | None:
    """The kernel for a chain on the CPU in float32 or float64; None for any other problem."""
    if against_chains(problem):
        return None
    here = problem if problem.arrays.backend == "numpy" else problem.to(backend="numpy")
    chain, found = chain_of(here), places(problem.parameters, rank)
    assert chain is not None
    layers = [
        LowRankLayer(named.names, found[named.names["weight"]], function, sigma, here.arrays.dtype_object)
        for named, function in zip(chain.affine, (*chain.between, None), strict=True)
    ]
    return ChainKernel(problem, here.criterion, layers, numbers(found), workers)
