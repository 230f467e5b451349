"""What else JAX gives in reverse mode: ``jax.vjp`` of the outputs, and of the gradient."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters, size
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.quantities import check_cotangent
from gradmark.work import Work
from methods.answering import Stated, fixed
from methods.answering_by_jax import answering_by_jax, rows_by_jax


def prepare_quantity(problem: Problem, want: Want) -> Prepared:
    """The prepared function for a vjp, jacobian, hvp or hessian, compiled."""
    answers: dict[str, Callable[..., tuple[Any, Array]]] = {
        "vjp": _vjp,
        "jacobian": _jacobian,
        "hvp": _hvp,
        "hessian": _hessian,
    }
    stated: dict[str, Stated] = {
        "vjp": fixed(Work(forward=1, pullback=1)),
        "jacobian": lambda draw, outputs: Work(forward=1, pullback=math.prod(outputs.shape)),
        "hvp": fixed(Work(forward=1, pullback=3)),
        "hessian": fixed(Work(forward=1, pullback=1 + 2 * size(problem.parameters))),
    }
    return answering_by_jax(problem, want, partial(answers[want], problem), stated=stated[want])


def _vjp(problem: Problem, point: Parameters, draw: Draw, cotangent: Array) -> tuple[Any, Array]:
    import jax

    outputs, pull = jax.vjp(lambda p: problem.outputs(p, draw), dict(point))
    (pulled,) = pull(check_cotangent(outputs, cotangent))
    return pulled, outputs


def _jacobian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    import jax

    outputs, pull = jax.vjp(lambda p: problem.outputs(p, draw), dict(point))
    return rows_by_jax(outputs, lambda one: pull(one)[0], per_chunk(problem, draw, size(point))), outputs


def _hvp(problem: Problem, point: Parameters, draw: Draw, direction: Parameters) -> tuple[Any, Array]:
    pull, value = _pull_gradient(problem, point, draw)
    return pull(dict(direction)), value


def _hessian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    import jax

    pull, value = _pull_gradient(problem, point, draw)
    still = {name: jax.numpy.zeros_like(x) for name, x in point.items()}

    def block_row(name: str, x: Array) -> Any:
        return rows_by_jax(x, lambda one: pull({**still, name: one}), per_chunk(problem, draw, size(point)))

    return {name: block_row(name, x) for name, x in point.items()}, value


def _pull_gradient(problem: Problem, point: Parameters, draw: Draw) -> tuple[Any, Array]:
    """What pulls a cotangent of the gradient back, which is the Hessian times it; and the loss."""
    import jax

    def gradient(p: Parameters) -> Any:
        value, found = jax.value_and_grad(problem.loss)(p, draw)
        return found, value

    _, pull, value = jax.vjp(gradient, dict(point), has_aux=True)
    return lambda cotangent: pull(cotangent)[0], value
