"""Whether complex steps of the outputs told the truth, as `analytic` asks it of the loss.

A product with J is compared with real differences along its own direction, a Jacobian along one that moves
all parameters.
"""

import math
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.finite_difference import steps
from methods.finite_difference.evaluating.analytic import check_slopes, moves_of
from methods.finite_difference.evaluating.moved_outputs import outputs_here
from methods.finite_difference.evaluating.probing import host_dtype
from methods.finite_difference.steps.along import coordinate_steps, rays


def check_jvp(
    problem: Problem, point: Parameters, draw: Draw, direction: Parameters, product: Array, value: Array
) -> None:
    """Raise `UsageError` where `product` is not J times `direction`; the outputs at the point are `value`."""
    arrays, host = problem.arrays, host_dtype(problem.arrays)
    lines = rays(arrays, point, {name: array[None, ...] for name, array in direction.items()})
    if lines is None:
        return
    h = lines.steps(coordinate_steps(arrays, point, steps.central_rule, None))
    h = lines.within(h, problem.bounds, 1)
    moves = {name: to_numpy(move[0, ...]).astype(host) for name, move in lines.moves(h).items()}
    away = {name: moves.get(name, np.zeros(tuple(x.shape), host)) for name, x in point.items()}
    claimed = to_numpy(product).astype(host).ravel() * float(to_numpy(h / lines.longest)[0])
    _check(problem, point, draw, away, claimed, np.abs(claimed), value)


def check_jacobian(
    problem: Problem, point: Parameters, draw: Draw, _: None, jacobian: Parameters, value: Array
) -> None:
    """Raise `UsageError` where `jacobian` is not that of the outputs, which are `value` at the point."""
    away, host = moves_of(problem, point), host_dtype(problem.arrays)
    claimed = size = np.zeros(math.prod(value.shape), host)
    for name, move in away.items():
        block = to_numpy(jacobian[name]).astype(host).reshape(claimed.size, move.size)
        claimed = claimed + block @ move.ravel()
        size = size + np.abs(block) @ np.abs(move.ravel())
    _check(problem, point, draw, away, claimed, size, value)


def _check(
    problem: Problem, point: Parameters, draw: Draw, away: Parameters, claimed: Any, size: Any, value: Array
) -> None:
    def outputs(moved: Parameters, rows: Draw) -> Array:
        return outputs_here(problem, moved, rows)

    check_slopes(problem, "an output", outputs, point, draw, away, claimed, size, value)
