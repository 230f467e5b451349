"""A stretch of steps of an unrolled problem, for many members of a population at once."""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.unroll import Unroll
from gradmark.work import count

Walk = Callable[[Parameters, Any, Draw, int, int], tuple[Any, Array]]
"""``walk(members, state, draw, start, stop)``: the state after step `stop` - 1, and the loss (N,) there.

`state` is that before step `start`; None: the beginning.
"""


def walker(problem: Problem) -> Walk:
    """The walk of a problem, which counts its passes; compiled on JAX, for any start and stop."""
    unroll = problem.unroll
    assert unroll is not None
    walk = _compiled(unroll) if problem.arrays.backend == "jax" else _looped(unroll)

    def counted(members: Parameters, state: Any, draw: Draw, start: int, stop: int) -> tuple[Any, Array]:
        state, losses = walk(members, state, draw, start, stop)
        passes = (stop - start) / unroll.horizon * share_of_rows(problem, draw)
        count(forward=losses.shape[0] * passes)
        return state, losses

    return counted


def _looped(unroll: Unroll) -> Walk:
    def walk(members: Parameters, state: Any, draw: Draw, start: int, stop: int) -> tuple[Any, Array]:
        state = unroll.initial(members, draw) if state is None else state
        for t in range(start, stop):
            state = unroll.step(members, state, draw, t)
        return state, unroll.loss(members, state, draw)

    return walk


def _compiled(unroll: Unroll) -> Walk:
    """The loop is part of the program: a step that is written out for each t takes XLA long."""
    import jax

    @jax.jit
    def program(members: Any, state: Any, arrays: Any, start: Any, stop: Any) -> Any:
        draw = Draw(arrays)
        state = unroll.initial(members, draw) if state is None else state

        def step(t: Any, state: Any) -> Any:
            return unroll.step(members, state, draw, t)

        state = jax.lax.fori_loop(start, stop, step, state)
        return state, unroll.loss(members, state, draw)

    def walk(members: Parameters, state: Any, draw: Draw, start: int, stop: int) -> tuple[Any, Array]:
        found: tuple[Any, Array] = program(dict(members), state, dict(draw.arrays), start, stop)
        return found

    return walk
