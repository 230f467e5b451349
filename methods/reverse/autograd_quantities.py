"""What else torch's graph gives: products with J^T and H, and the matrices that these make.

Second derivatives are had by reverse over reverse: the gradient is recorded, and pulled back again.
"""

import math
from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters, size
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.quantities import check_cotangent
from gradmark.work import Work
from methods.answering import Stated, answering, fixed, rows


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
    answer = answers[want]
    return answering(problem, want, lambda *given: answer(problem, *given), stated=stated[want])


def _vjp(problem: Problem, point: Parameters, draw: Draw, cotangent: Array) -> tuple[Any, Array]:
    leaves, outputs = _recorded(problem, problem.outputs, point, draw)
    check_cotangent(outputs, cotangent)
    return _pulled(problem, outputs, leaves, cotangent), outputs.detach()


def _jacobian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    leaves, outputs = _recorded(problem, problem.outputs, point, draw)
    found = rows(
        problem.arrays,
        outputs.detach(),
        lambda cotangents: _pulled(problem, outputs, leaves, cotangents, several=True),
        lambda number: per_chunk(problem, draw, size(point)),
    )
    return found, outputs.detach()


def _hvp(problem: Problem, point: Parameters, draw: Draw, direction: Parameters) -> tuple[Any, Array]:
    leaves, gradient, value = _recorded_gradient(problem, point, draw)
    given = {name: direction[name] for name in gradient}
    return _pulled(problem, gradient, leaves, given), value


def _hessian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    leaves, gradient, value = _recorded_gradient(problem, point, draw)

    def block_row(name: str, x: Array) -> dict[str, Array]:
        def product(one: Array) -> dict[str, Array]:
            return _pulled(problem, {name: gradient[name]}, leaves, {name: one}, several=True)

        return rows(problem.arrays, x, product, lambda number: per_chunk(problem, draw, size(point)))

    return {name: block_row(name, x) for name, x in point.items()}, value


def _recorded(problem: Problem, function: Any, point: Parameters, draw: Draw) -> tuple[dict[str, Array], Any]:
    """The parameters as leaves of a graph, and the function of them."""
    leaves = {name: array.detach().requires_grad_(True) for name, array in point.items()}
    with problem.arrays.xp.enable_grad():
        return leaves, function(leaves, draw)


def _recorded_gradient(
    problem: Problem, point: Parameters, draw: Draw
) -> tuple[dict[str, Array], dict[str, Array], Array]:
    torch = problem.arrays.xp
    leaves, value = _recorded(problem, problem.loss, point, draw)
    with torch.enable_grad():
        arrays = torch.autograd.grad(
            value, list(leaves.values()), create_graph=True, allow_unused=True, materialize_grads=True
        )
    return leaves, dict(zip(leaves, arrays, strict=True)), value.detach()


def _pulled(
    problem: Problem, ends: Any, leaves: dict[str, Array], cotangents: Any, *, several: bool = False
) -> dict[str, Array]:
    """The cotangents of `ends` (an array, or named ones) pulled back; `several` along a leading axis.

    An end that the parameters do not reach, such as the gradient of a linear loss, gives zeros.
    """
    torch = problem.arrays.xp
    ends, cotangents = (each if isinstance(each, dict) else {"": each} for each in (ends, cotangents))
    reached = [name for name, end in ends.items() if end.requires_grad]
    arrays: Any = [None] * len(leaves)
    if reached:
        arrays = torch.autograd.grad(
            [ends[name] for name in reached],
            list(leaves.values()),
            [cotangents[name] for name in reached],
            retain_graph=several,
            allow_unused=True,
            is_grads_batched=several,
        )
    lead = next(iter(cotangents.values())).shape[:1] if several else ()
    return {
        name: leaf.new_zeros((*lead, *leaf.shape)) if array is None else array
        for (name, leaf), array in zip(leaves.items(), arrays, strict=True)
    }
