"""What else torch.func gives in reverse mode: ``vjp``, ``jacrev``, and both again of ``grad``."""

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
from methods.answering import Stated, answering, fixed


def prepare_quantity(problem: Problem, want: Want) -> Prepared:
    """The prepared function for a vjp, jacobian, hvp or hessian."""
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
    return answering(problem, want, partial(answers[want], problem), stated=stated[want])


def _vjp(problem: Problem, point: Parameters, draw: Draw, cotangent: Array) -> tuple[Any, Array]:
    import torch

    vjp: Any = torch.func.vjp
    outputs, pull = vjp(lambda p: problem.outputs(p, draw), dict(point))
    (pulled,) = pull(check_cotangent(outputs, cotangent))
    return pulled, outputs


def _jacobian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    import torch

    def outputs(p: Parameters) -> tuple[Array, Array]:
        return (found := problem.outputs(p, draw)), found

    together = per_chunk(problem, draw, size(point))
    jacobian, value = torch.func.jacrev(outputs, has_aux=True, chunk_size=together)(dict(point))
    return jacobian, value


def _hvp(problem: Problem, point: Parameters, draw: Draw, direction: Parameters) -> tuple[Any, Array]:
    import torch

    vjp: Any = torch.func.vjp
    _, pull, value = vjp(_gradient_and_value(problem, draw), dict(point), has_aux=True)
    (pulled,) = pull(dict(direction))
    return pulled, value


def _hessian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    import torch

    together = per_chunk(problem, draw, size(point))
    jacrev: Any = torch.func.jacrev(_gradient_and_value(problem, draw), has_aux=True, chunk_size=together)
    hessian, value = jacrev(dict(point))
    return hessian, value


def _gradient_and_value(problem: Problem, draw: Draw) -> Callable[[Parameters], Any]:
    """The gradient as a function of the parameters, with the loss beside it."""
    import torch

    return torch.func.grad_and_value(lambda p: problem.loss(p, draw))
