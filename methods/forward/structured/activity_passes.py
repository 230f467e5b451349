"""The three steps of activity perturbation: a forward pass, slopes along noise at the nodes, local products.

Noise is one vector for each direction: the offsets of `gradmark.nodes` one after the other, then the
parameters that move themselves. Slopes come from tangents here, and from whoever has others. On JAX each step
is compiled; passes are counted outside.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark import passes
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.nodes import Nodes, nodes_of
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import count, uncounted


@dataclass(frozen=True)
class Before:
    """What one forward pass leaves behind: the loss, each layer's saved numbers, and those at each node."""

    value: Array
    trace: passes.Trace
    seen: Mapping[str, Any]


Slopes = Callable[[Nodes, Parameters, Draw, passes.Trace, Parameters], Array]
"""The slopes of each block's share of the loss along K moves of what is named, (K, blocks)."""


def by_tangents(nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace, moves: Parameters) -> Array:
    """Through the layers' pushforward."""
    xp: Any = nodes.problem.arrays.xp
    criterion: Any = nodes.problem.criterion
    moved = passes.outputs_pushforward(nodes.problem, point, draw, trace, moves)
    return nodes.by_block(xp.sum(criterion.pullback(trace.outputs, draw) * moved, axis=-1))


@dataclass(frozen=True)
class Steps:
    """The steps for draws of one number of rows; `slopes` of one move take `each` passes of `kind`."""

    nodes: Nodes
    slopes: Slopes = by_tangents
    kind: str = "tangent"
    each: int = 1

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What moves, by name: the offsets, and the parameters that move themselves."""
        own = {name: tuple(self.nodes.problem.parameters[name].shape) for name in self.nodes.others}
        return {**{site.offset: site.shape for site in self.nodes.sites}, **own}

    @property
    def numbers(self) -> int:
        """N, the length of a vector of noise."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def forward(self, parameters: Parameters, draw: Draw) -> Before:
        """One forward pass."""
        count(forward=passes.share_of_rows(self.nodes.problem, draw))
        with uncounted():
            value, outputs, saved, seen = self._forward(dict(parameters), dict(draw.arrays))
        return Before(value, passes.Trace(outputs, saved), seen)

    def weighted(self, parameters: Parameters, draw: Draw, before: Before, noise: Array) -> Array:
        """The sum over directions of `noise` (K, N), each number times the slope of its block: (N,).

        At least float32. K tangent passes, or what `slopes` takes.
        """
        made = self.each * noise.shape[0] * passes.share_of_rows(self.nodes.problem, draw)
        count(**{self.kind: made})
        trace = before.trace
        with uncounted():
            return self._weighted(dict(parameters), dict(draw.arrays), trace.outputs, trace.saved, noise)

    def contracted(self, parameters: Parameters, before: Before, mean: Array) -> dict[str, Array]:
        """The gradient, from the mean of the weighted noise (N,)."""
        found = self._contracted(dict(parameters), before.seen, mean)
        return {name: found[name] for name in self.nodes.names}  # JAX sorts what it returns by name

    @cached_property
    def _forward(self) -> Callable[..., Any]:
        nodes, criterion = self.nodes, self.nodes.problem.criterion
        assert criterion is not None

        def forward(parameters: Any, arrays: Any) -> Any:
            trace, seen = nodes.forward(nodes.point(parameters), Draw(arrays))
            return criterion.value(trace.outputs, Draw(arrays)), trace.outputs, trace.saved, seen

        return self._compiled(forward)

    @cached_property
    def _weighted(self) -> Callable[..., Any]:
        nodes, xp = self.nodes, self.nodes.problem.arrays.xp

        def weighted(parameters: Any, arrays: Any, outputs: Any, saved: Any, noise: Any) -> Any:
            moves, trace = self._split(noise), passes.Trace(outputs, saved)
            slopes = self.slopes(nodes, nodes.point(parameters), Draw(arrays), trace, moves)
            parts = [self._times(slopes, moves[site.offset]) for site in nodes.sites]
            whole = xp.sum(slopes, axis=-1, keepdims=True)
            parts += [self._times(whole, moves[name]) for name in nodes.others]
            return xp.concat(parts)

        return self._compiled(weighted)

    @cached_property
    def _contracted(self) -> Callable[..., Any]:
        nodes = self.nodes

        def contracted(parameters: Any, seen: Any, mean: Any) -> Any:
            s = {name: part[0, ...] for name, part in self._split(mean[None, :]).items()}
            found = nodes.contracted(parameters, seen, {site.offset: s[site.offset] for site in nodes.sites})
            return found | {name: s[name] for name in nodes.others}

        return self._compiled(contracted)

    def _split(self, noise: Array) -> dict[str, Array]:
        """The vectors (K, N) as named arrays with one leading axis K."""
        xp, start, moves = self.nodes.problem.arrays.xp, 0, {}
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            moves[name] = xp.reshape(noise[:, start:stop], (noise.shape[0], *shape))
            start = stop
        return moves

    def _times(self, slopes: Array, moves: Array) -> Array:
        """sum over k of slopes (K, blocks) times moves (K, blocks and what each has): one vector."""
        arrays = self.nodes.problem.arrays
        wide = arrays if arrays.itemsize >= 4 else Arrays(arrays.backend, arrays.device, "float32")
        xp, (number, blocks) = wide.xp, slopes.shape
        by_block = xp.reshape(moves, (number, blocks, -1))
        product = xp.astype(slopes[:, :, None], wide.dtype_object) * xp.astype(by_block, wide.dtype_object)
        return xp.reshape(xp.sum(product, axis=0), (-1,))

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.nodes.problem.arrays.backend != "jax":
            return function
        import jax

        return jax.jit(function)


def by_rows(problem: Problem, steps: Callable[[Nodes], Steps]) -> Callable[[Draw], Steps]:
    """The steps for a draw, made once for each number of rows; those of the default draw at once."""
    made: dict[int, Steps] = {}

    def steps_for(draw: Draw) -> Steps:
        if draw.count not in made:
            made[draw.count] = steps(nodes_of(problem, draw))
        return made[draw.count]

    steps_for(problem.default_draw)
    return steps_for
