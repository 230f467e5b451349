"""Products with J, and the Jacobian column by column, from any way of pushing tangents to the outputs."""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.answering import Answer, columns
from methods.forward.slopes import Bind

Chunk = Callable[[Draw, int], int]
"""How many of n directions go together."""


def jvp_by(bind: Bind) -> Answer:
    """J v: `bind` gives the derivatives of the outputs, as the ways of `slopes` do with ``outputs=True``."""

    def answer(point: Parameters, draw: Draw, direction: Parameters) -> tuple[Any, Array]:
        value, moved = bind(point, draw)({name: array[None, ...] for name, array in direction.items()})
        return moved[0, ...], value

    return answer


def jacobian_by(problem: Problem, bind: Bind, together: Chunk) -> Answer:
    """J: one direction for each parameter, one array at a time."""

    def answer(point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
        along = bind(point, draw)
        value: Array = None

        def product(tangents: Parameters) -> Array:
            nonlocal value
            value, moved = along(tangents)
            return moved

        found = columns(problem.arrays, point, product, lambda number: together(draw, number))
        return found, value

    return answer
