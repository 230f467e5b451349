"""The losses of many parameter vectors: at once where the problem takes a population axis, else one by one."""

from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem

_CHUNK_BYTES = 2**20
"""Perturbed parameters that are held at once: about what a core's second-level cache holds."""


def members_per_chunk(problem: Problem, numbers_per_member: int) -> int:
    """How many members to evaluate at once so that their parameters stay in cache; at least 1."""
    if not problem.population:
        return 1
    return max(1, _CHUNK_BYTES // (problem.arrays.itemsize * numbers_per_member))


def losses(problem: Problem, members: Parameters, shared: Parameters, draw: Draw) -> Array:
    """The loss of each member, shape (N,).

    `members` holds the arrays that differ between members, with one leading axis N; `shared` holds all
    parameters, and gives those that do not differ.
    """
    if problem.population:
        return problem.loss({**shared, **members}, draw)
    xp: Any = problem.arrays.xp
    number = next(iter(members.values())).shape[0]
    each = [
        problem.loss({**shared, **{name: array[i, ...] for name, array in members.items()}}, draw)
        for i in range(number)
    ]
    return xp.stack(each)
