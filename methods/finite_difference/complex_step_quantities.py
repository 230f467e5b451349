"""The complex step of the outputs: J v = Im outputs(x + i h v) / h, and J by one for each coordinate.

It can be as short as for a coordinate, and is as long along v as `steps.along` says, so that h v is to x as a
coordinate's step is to its size.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.dtypes import smallest
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters
from gradmark.population import members_per_chunk
from gradmark.problem import Problem
from methods.answering import Answer, answering
from methods.finite_difference import steps
from methods.finite_difference.evaluating.analytic_outputs import check_jacobian, check_jvp
from methods.finite_difference.evaluating.moved_outputs import moved_outputs, outputs_here
from methods.finite_difference.steps.along import rays
from methods.forward.products import jacobian_by, jvp_by
from methods.forward.slopes import Along, Bind


def prepare_quantity(problem: Problem, want: Want, step: float | None, check: bool) -> Prepared:
    """The prepared function of a jvp or Jacobian; `check` as for the gradient."""
    bind = _by_complex_steps(problem, step)
    answer = (
        jvp_by(bind) if want == "jvp" else jacobian_by(problem, bind, partial(members_per_chunk, problem))
    )
    against: Callable[..., None] = check_jvp if want == "jvp" else check_jacobian
    return answering(problem, want, _checked(problem, answer, against) if check else answer)


def _checked(problem: Problem, answer: Answer, against: Callable[..., None]) -> Answer:
    """The answer, once real differences agree with it; and the outputs that these took."""

    def checked(point: Parameters, draw: Draw, direction: Any) -> tuple[Any, Array]:
        result, value = answer(point, draw, direction)[0], outputs_here(problem, point, draw)
        against(problem, point, draw, direction, result, value)
        return result, value

    return checked


def _by_complex_steps(problem: Problem, step: float | None) -> Bind:
    arrays, outputs_at = problem.arrays, moved_outputs(problem)
    xp, complex_arrays = arrays.xp, arrays.complexified()

    def bind(point: Parameters, draw: Draw) -> Along:
        coordinates = {n: steps.wanted(arrays, x, steps.complex_rule, step) for n, x in point.items()}
        complex_point, complex_draw = complex_arrays.cast(point), Draw(complex_arrays.cast(draw.arrays))

        def along(tangents: Parameters) -> tuple[Array | None, Array]:
            lines = rays(arrays, point, tangents)
            if lines is None:
                value = outputs_here(problem, point, draw)
                return value, (value - value)[None, ...]
            h = lines.steps(coordinates)
            h = xp.maximum(h, xp.full_like(h, smallest(arrays.dtype)))
            moves = complex_arrays.cast(lines.moves(h))
            moved = {name: complex_point[name][None, ...] + 1j * move for name, move in moves.items()}
            return None, lines.slopes(xp.imag(outputs_at(moved, complex_point, complex_draw)), h)

        return along

    return bind
