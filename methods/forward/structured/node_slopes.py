"""The slopes of a loss at all nodes of any network, by its layers' pushforward: S = dL/d(node), then dW.

Directions go in chunks that stay in a core's cache (`gradmark.population.per_chunk`), and each chunk begins
at the layer that it moves. On JAX all of it is one compiled function, with a loop over the chunks.
"""

import math
from collections.abc import Callable
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.nodes import Nodes, unit_vectors
from gradmark.parameters import Parameters
from gradmark.population import per_chunk
from gradmark.work import count, uncounted

Bound = Callable[[Parameters, Draw], tuple[Array, dict[str, Array]]]
"""The loss and its gradient."""
At = Callable[[Any, int], Array]
"""``at(start, number)``: the slopes (number, blocks) along directions `start` to `start + number` - 1."""
AlongRows = Callable[[Parameters], Array]
"""``along(tangents)``: the slopes of each row's share of the loss along K tangents, (K, rows of outputs)."""
Rows = Callable[[Nodes, Parameters, Draw, passes.Trace], AlongRows]
Looped = Callable[[At, int, int], Array]
"""``looped(at, directions, together)``: those of all directions, so many at once."""


def by_tangents(nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace) -> AlongRows:
    """Through the layers' pushforward."""
    xp, criterion = nodes.problem.arrays.xp, nodes.problem.criterion
    assert criterion is not None
    slope = criterion.pullback(trace.outputs, draw)

    def along(tangents: Parameters) -> Array:
        moved = passes.outputs_pushforward(nodes.problem, point, draw, trace, tangents)
        return xp.sum(moved * slope, axis=-1)

    return along


def bind(nodes: Nodes, rows: Rows = by_tangents, kind: str = "tangent", each: int = 1) -> Bound:
    """For draws of the rows that `nodes` were found for; `rows` says how slopes are had, by `each` passes of
    what `kind`."""
    if nodes.problem.arrays.backend == "jax":
        return _compiled(nodes, rows, kind, each)
    xp: Any = nodes.problem.arrays.xp

    def looped(at: At, directions: int, together: int) -> Array:
        starts = range(0, directions, together)
        return xp.concat([at(start, min(together, directions - start)) for start in starts])

    return lambda parameters, draw: _value_and_gradient(nodes, rows, parameters, draw, looped)


def _compiled(nodes: Nodes, rows: Rows, kind: str, each: int) -> Bound:
    """Passes are counted outside of the trace; directions beyond the last one, in the last chunk, are not."""
    import jax

    def looped(at: At, directions: int, together: int) -> Array:
        starts = jax.numpy.arange(0, directions, together)
        found = jax.lax.map(lambda start: at(start, together), starts)
        return jax.numpy.reshape(found, (-1, found.shape[-1]))[:directions]

    whole = jax.jit(
        lambda parameters, arrays: _value_and_gradient(nodes, rows, parameters, Draw(arrays), looped)
    )

    def bound(parameters: Parameters, draw: Draw) -> tuple[Array, dict[str, Array]]:
        with uncounted():
            value, gradient = whole(dict(parameters), dict(draw.arrays))
        share = passes.share_of_rows(nodes.problem, draw)
        count(forward=share)
        count(**{kind: each * nodes.directions * share})
        return value, {name: gradient[name] for name in nodes.names}

    return bound


def _value_and_gradient(
    nodes: Nodes, rows: Rows, parameters: Parameters, draw: Draw, looped: Looped
) -> tuple[Array, dict[str, Array]]:
    problem, criterion = nodes.problem, nodes.problem.criterion
    assert criterion is not None
    arrays, xp, point = problem.arrays, problem.arrays.xp, nodes.point(parameters)
    trace, seen = nodes.forward(point, draw)
    along = rows(nodes, point, draw, trace)

    def every(name: str, directions: int, tangents: At) -> Array:
        """The slopes (directions, blocks) of the array `name` along ``tangents(start, number)``."""

        def at(start: Any, number: int) -> Array:
            return nodes.by_block(along({name: tangents(start, number)}))

        return looped(at, directions, _together(nodes, draw, point[name], directions))

    s: dict[str, Array] = {}
    for site in nodes.sites:
        units = _along_nodes(nodes, site, point)
        s[site.offset] = site.placed(arrays, every(site.offset, site.directions, units))
    gradient = nodes.contracted(point, seen, s)
    for name in nodes.others:
        slopes = every(name, math.prod(point[name].shape), _along_basis(nodes, point[name]))
        gradient[name] = xp.reshape(xp.sum(slopes, axis=-1), tuple(point[name].shape))
    return criterion.value(trace.outputs, draw), {name: gradient[name] for name in nodes.names}


def _along_nodes(nodes: Nodes, site: Any, point: Parameters) -> At:
    like = point[site.offset]
    return lambda start, number: site.along(nodes.problem.arrays, like, start, number)


def _along_basis(nodes: Nodes, x: Array) -> At:
    arrays, numbers = nodes.problem.arrays, math.prod(x.shape)

    def tangents(start: Any, number: int) -> Array:
        unit = unit_vectors(arrays, x, numbers, start, number)
        return arrays.xp.reshape(unit, (number, *x.shape))

    return tangents


def _together(nodes: Nodes, draw: Draw, x: Array, directions: int) -> int:
    """Chunks of one length, as nearly as can be: JAX computes the last one in full."""
    most = per_chunk(nodes.problem, draw, math.prod(x.shape))
    return math.ceil(directions / math.ceil(directions / most))
