"""The losses at points that differ from the parameters in one coordinate: what every difference is made of.

Coordinates of one array at a time are moved, in chunks, so that only this array carries the population axis:
a network computes what lies before it once for a chunk, not once for a coordinate.
"""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem

CoordinateLosses = Callable[[Parameters, Draw, str, Array], Array]
"""``losses_at(parameters, draw, name, moved)``: entry i is the loss with coordinate i of the array `name`
replaced by entry i of `moved`; it has the shape of that array."""


def coordinate_losses(problem: Problem) -> CoordinateLosses:
    """The function that evaluates a problem with one coordinate moved at a time."""
    xp, evaluate = problem.arrays.xp, evaluator(problem)
    writable = problem.arrays.backend != "jax"
    move = _write if writable else _compiled_move()

    def losses_at(parameters: Parameters, draw: Draw, name: str, moved: Array) -> Array:
        shape = tuple(parameters[name].shape)
        old, new = xp.reshape(parameters[name], (-1,)), xp.reshape(moved, (-1,))
        number = old.shape[0]
        chunk = min(number, members_per_chunk(problem, draw, number))
        copies, found = xp.tile(old, (chunk,)), []
        for start in range(0, number, chunk):
            many = min(chunk, number - start)
            members = move(copies[: many * number], new, start)
            losses = evaluate({name: xp.reshape(members, (many, *shape))}, parameters, draw)
            # A loss may be a view of the parameters, which are now written to again: it must be a copy.
            found.append(xp.asarray(losses, copy=True))
            if writable:
                move(members, old, start)
        return xp.reshape(xp.concat(found), shape)

    return losses_at


def _write(members: Array, values: Array, start: int) -> Array:
    """Set coordinate start + i of member i, in place: in the flat members these lie number + 1 apart."""
    number = values.shape[0]
    many = members.shape[0] // number
    members[start : start + (many - 1) * (number + 1) + 1 : number + 1] = values[start : start + many]
    return members


def _compiled_move() -> Callable[[Array, Array, int], Array]:
    """The same on JAX, whose arrays cannot be written to; compiled, for it is called for every chunk."""
    import jax

    def moved(members: Any, values: Any, start: Any) -> Any:
        rows = members.reshape(-1, values.shape[0])
        member = jax.numpy.arange(rows.shape[0])
        return rows.at[member, member + start].set(values[member + start])

    return jax.jit(moved)
