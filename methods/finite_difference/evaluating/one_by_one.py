"""The losses at points that differ from the parameters in one coordinate, evaluated one after the other.

Each evaluation is given an array of its own: a function may keep its argument, to return what it remembers
for an equal one, or write into it, and the next evaluation sees nothing of that.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem


def one_by_one(problem: Problem) -> Callable[..., Array]:
    """``losses_of(parameters, draw, name, new, entries)``: the flat losses, one for each of the flat `new`.

    Entry i of `new` replaces coordinate entries[i] of the array `name` (i, where `entries` is None).
    """
    loss, copy_with = problem.loss, _copier(problem)
    writable = problem.arrays.backend != "jax"

    def losses_of(parameters: Parameters, draw: Draw, name: str, new: Array, entries: Any) -> Array:
        x, given = parameters[name], dict(parameters)
        places = range(new.shape[0]) if entries is None else entries.tolist()
        found: Any = None if writable else []
        for row, place in enumerate(places):
            given[name] = copy_with(x, place, new[row])
            value = loss(dict(given), draw)
            if not writable:
                found.append(value)
                continue
            if found is None:
                found = _row_like(problem, value, len(places))
            # A value may be a view of its argument, which need not be kept for it.
            found[row] = value
        return found if writable else problem.arrays.xp.stack(found)

    return losses_of


def _row_like(problem: Problem, value: Array, number: int) -> Array:
    """Room for `number` losses of the dtype in which they come: a loss may be summed in a wider one."""
    xp: Any = problem.arrays.xp
    if problem.arrays.backend == "numpy":
        return xp.empty(number, dtype=value.dtype)
    return xp.empty(number, dtype=value.dtype, device=value.device)


def _copier(problem: Problem) -> Callable[[Array, int, Array], Array]:
    """A copy of an array with one number replaced, its axes in their order."""
    return {"numpy": _replaced_in_numpy, "torch": _replaced_in_torch, "jax": _replaced_in_jax}.get(
        problem.arrays.backend, _replaced
    )


def _replaced_in_numpy(x: Any, place: int, number: Any) -> Any:
    fresh = x.copy()
    fresh.flat[place] = number
    return fresh


def _replaced_in_torch(x: Any, place: int, number: Any) -> Any:
    fresh = x.contiguous().clone()
    fresh.view(-1)[place] = number
    return fresh


def _replaced_in_jax(x: Any, place: int, number: Any) -> Any:
    return x.reshape(-1).at[place].set(number).reshape(x.shape)


def _replaced(x: Any, place: int, number: Any) -> Any:
    fresh = x.__array_namespace__().asarray(x, copy=True)
    fresh[tuple(int(i) for i in np.unravel_index(place, x.shape))] = number
    return fresh
