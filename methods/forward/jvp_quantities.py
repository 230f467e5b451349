"""What else torch.func gives in forward mode: products with J and H, and the matrices that these make.

Second derivatives are had by forward over reverse: the tangent of the gradient (Pearlmutter 1994).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from gradmark.torch_forward import torch_forward_mode
from gradmark.work import Work
from methods.answering import answering, rows
from methods.forward.products import Chunk, jacobian_by
from methods.forward.slopes import by_torch


def prepare_quantity(problem: Problem, want: Want, together: Chunk) -> Prepared:
    """The prepared function for a jvp, jacobian, hvp or hessian."""

    def stated(draw: Draw, value: Array) -> Work:
        """A tangent for each direction, and what it is the tangent of once for each chunk."""
        if want in ("jvp", "hvp"):
            directions = chunks = 1
        else:
            numbers = [math.prod(x.shape) for x in problem.parameters.values()]
            directions = size(problem.parameters)
            chunks = sum(math.ceil(number / together(draw, number)) for number in numbers)
        if want in ("jvp", "jacobian"):
            return Work(forward=chunks, tangent=directions)
        return Work(forward=chunks, pullback=chunks, tangent=2 * directions)

    answers: dict[str, Callable[..., tuple[Any, Array]]] = {
        "jvp": partial(_jvp, problem),
        "jacobian": jacobian_by(problem, by_torch(problem, outputs=True), together),
        "hvp": partial(_moved_gradient, problem),
        "hessian": partial(_hessian, problem, together),
    }
    return answering(problem, want, answers[want], stated=stated)


def _jvp(problem: Problem, point: Parameters, draw: Draw, direction: Parameters) -> tuple[Any, Array]:
    import torch

    jvp: Any = torch.func.jvp
    with torch_forward_mode():
        outputs, moved = jvp(lambda p: problem.outputs(p, draw), (dict(point),), (direction,))
    return moved.to(outputs.dtype), outputs


def _hessian(problem: Problem, together: Chunk, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    import torch

    values: list[Array] = []
    vmap: Any = torch.func.vmap
    many = vmap(lambda moving: _moved_gradient(problem, point, draw, moving), out_dims=(0, None))

    def block_row(name: str, x: Array) -> dict[str, Array]:
        def product(one: Array) -> dict[str, Array]:
            moved: dict[str, Array]
            with torch_forward_mode():
                moved, value = many({name: one})
            values[:] = [value]
            return moved

        return rows(problem.arrays, x, product, lambda number: together(draw, number))

    return {name: block_row(name, x) for name, x in point.items()}, values[0]


def _moved_gradient(
    problem: Problem, point: Parameters, draw: Draw, tangents: Parameters
) -> tuple[dict[str, Array], Array]:
    """The gradient's derivative along `tangents`, and the loss; a parameter without one does not move."""
    import torch

    jvp: Any = torch.func.jvp

    def gradient(moving: Parameters) -> Any:
        return torch.func.grad_and_value(lambda p: problem.loss(p, draw))({**point, **moving})

    moving = {name: point[name] for name in tangents}
    with torch_forward_mode():
        (_, value), (moved, _) = jvp(gradient, (moving,), (dict(tangents),))
    # torch makes the tangent of a Python number times a float32 scalar, such as 0.5 * sum, float64.
    return {name: moved[name].to(x.dtype) for name, x in point.items()}, value
