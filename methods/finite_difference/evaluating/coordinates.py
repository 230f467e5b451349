"""The losses at points that differ from the parameters in one coordinate: what every difference is made of.

Coordinates of one array at a time are moved, in chunks, so that only this array carries the population axis:
a network computes what lies before it once for a chunk, not once for a coordinate. Where a chunk would be one
member, or the loss takes no such axis, coordinates are moved one by one (`one_by_one`).
"""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.finite_difference.evaluating.one_by_one import one_by_one

CoordinateLosses = Callable[..., Array]
"""``losses_at(parameters, draw, name, moved, entries=None)``: entry i is the loss with coordinate i of the
array `name` replaced by entry i of `moved`; it has the shape of that array. With `entries`, integers in a
NumPy array, `moved` and the losses are flat and only of those coordinates, in their order."""


def coordinate_losses(problem: Problem) -> CoordinateLosses:
    """The function that evaluates a problem with one coordinate moved at a time."""
    xp, together, alone = problem.arrays.xp, _together(problem), one_by_one(problem)
    compiled = problem.arrays.backend == "jax" and problem.population

    def losses_at(parameters: Parameters, draw: Draw, name: str, moved: Array, entries: Any = None) -> Array:
        shape = tuple(moved.shape)
        old, new = xp.reshape(parameters[name], (-1,)), xp.reshape(moved, (-1,))
        if new.shape[0] == 0:
            return moved
        chunk = min(old.shape[0], members_per_chunk(problem, draw, old.shape[0]))
        if chunk == 1 and not compiled:
            found = alone(parameters, draw, name, new, entries)
        else:
            found = together(parameters, draw, name, old, new, entries, chunk)
        return found if found.shape == shape else xp.reshape(found, shape)

    return losses_at


def _together(problem: Problem) -> Callable[..., Array]:
    xp, evaluate = problem.arrays.xp, evaluator(problem)
    writable = problem.arrays.backend != "jax"
    move = _write if writable else _compiled_move()
    pick = _picker(problem)

    def losses_of(
        parameters: Parameters, draw: Draw, name: str, old: Array, new: Array, entries: Any, chunk: int
    ) -> Array:
        number, shape, found = old.shape[0], tuple(parameters[name].shape), []
        copies = xp.tile(old, (chunk,)) if entries is None else None
        for start in range(0, new.shape[0], chunk):
            many = min(chunk, new.shape[0] - start)
            if copies is None:
                members = pick(old, new, entries, start, many, chunk)
            else:
                members = move(copies[: many * number], new, start)
            losses = evaluate({name: xp.reshape(members, (-1, *shape))}, parameters, draw)
            # A loss may be a view of the parameters, which are now written to again: it must be a copy.
            found.append(xp.asarray(losses[:many], copy=True))
            if copies is not None and writable:
                move(members, old, start)
        return found[0] if len(found) == 1 else xp.concat(found)

    return losses_of


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


def _picker(problem: Problem) -> Callable[..., Array]:
    """Members with the coordinates `entries` moved; on JAX always a whole chunk, as it compiles every shape.

    The members that fill it are the last one again, and their evaluations are counted.
    """
    arrays, filled = problem.arrays, problem.arrays.backend == "jax"

    def pick(old: Array, new: Array, entries: Any, start: int, many: int, chunk: int) -> Array:
        xp = arrays.xp
        rows = [min(start + row, start + many - 1) for row in range(chunk if filled else many)]
        index, here = arrays.integers(rows), arrays.integers(entries[rows])
        places = arrays.integers(range(old.shape[0]))
        return xp.where(places[None, :] == here[:, None], xp.take(new, index, axis=0)[:, None], old[None, :])

    return pick
