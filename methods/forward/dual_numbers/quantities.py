"""What dual numbers give of a problem: the gradient, products with J and H, and the matrices these make.

H v is the derivative of the gradient along v. A network's gradient is then its hand-derived pullback, run on
dual numbers (forward over reverse: Pearlmutter 1994); that of any other loss is had by dual numbers of a
second tag (forward over forward), at P times the cost. Tangents of a pass that carries tangents are passes
too: with K directions outside and k inside one pass is one forward pass and k + K (1 + k) tangents.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.claims import Want
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import count, counting
from methods.answering import Answer, rows
from methods.forward.basis import along_basis
from methods.forward.dual_numbers.differentiating import pushed
from methods.forward.products import Chunk, jacobian_by, jvp_by
from methods.forward.slopes import Along, Bind

Function = Callable[[Parameters, Draw], Any]


def answer_of(problem: Problem, want: Want, together: Chunk) -> Answer:
    """The answer to `want`; ``together(draw, n)`` of n directions go together."""
    answers: dict[str, Callable[[], Answer]] = {
        "gradient": lambda: _gradient_by_duals(problem, together),
        "jvp": lambda: jvp_by(_bound(_outputs_of(problem))),
        "jacobian": lambda: jacobian_by(problem, _bound(_outputs_of(problem)), together),
        "hvp": lambda: partial(_hvp, _value_and_gradient(problem, together)),
        "hessian": lambda: partial(_hessian, problem, together),
    }
    return answers[want]()


def tried(problem: Problem, want: Want) -> None:
    """Run what `want` runs, along one direction; raises what it raises."""
    point, draw = problem.parameters, problem.default_draw
    along = {name: x[None, ...] for name, x in point.items()}
    if want in ("jvp", "jacobian"):
        pushed(lambda p: _outputs_of(problem)(p, draw), point, along)
    elif want == "gradient":
        pushed(lambda p: problem.loss(p, draw), point, along)
    elif problem.layers is not None:
        pushed(lambda p: _pulled_back(problem, p, draw)[1], point, along)
    else:
        pushed(lambda p: pushed(lambda q: problem.loss(q, draw), p, along)[1], point, along)


def _bound(function: Function) -> Bind:
    """The derivatives of `function` along K directions, as the ways of `slopes` give them."""

    def bind(parameters: Parameters, draw: Draw) -> Along:
        return lambda tangents: _counted(lambda p: function(p, draw), parameters, tangents)

    return bind


def _counted(
    function: Callable[[Parameters], Any], point: Parameters, tangents: Parameters
) -> tuple[Any, Any]:
    """`pushed`, where each pass that the function makes has K tangents."""
    with counting() as inside:
        found = pushed(function, point, tangents)
    count(tangent=next(iter(tangents.values())).shape[0] * inside.total().passes)
    return found


def _outputs_of(problem: Problem) -> Function:
    """Outputs, whose forward pass is counted."""
    if problem.layers is None:
        return problem.outputs
    return lambda parameters, draw: passes.forward(problem, parameters, draw).outputs


def _gradient_by_duals(problem: Problem, together: Chunk) -> Answer:
    bind = _bound(problem.loss)

    def answer(point: Parameters, draw: Draw, _: Any = None) -> tuple[Any, Array]:
        along = bind(point, draw)
        value, gradient = along_basis(problem.arrays, point, along, lambda number: together(draw, number))
        return gradient, value

    return answer


def _value_and_gradient(problem: Problem, together: Chunk) -> Function:
    if problem.layers is not None:
        return partial(_pulled_back, problem)
    by_duals = _gradient_by_duals(problem, together)

    def value_and_gradient(point: Parameters, draw: Draw) -> tuple[Array, Any]:
        gradient, value = by_duals(point, draw, None)
        return value, gradient

    return value_and_gradient


def _pulled_back(problem: Problem, point: Parameters, draw: Draw) -> tuple[Array, Any]:
    criterion: Any = problem.criterion
    trace = passes.forward(problem, point, draw)
    return criterion.value(trace.outputs, draw), passes.pullback(problem, point, draw, trace)


def _moved(
    value_and_gradient: Function, point: Parameters, draw: Draw, tangents: Parameters
) -> tuple[Any, dict[str, Array]]:
    """The loss, and the gradient's derivatives along `tangents`."""

    def found(p: Parameters) -> dict[str, Any]:
        value, gradient = value_and_gradient(p, draw)
        return {"value": value, "gradient": gradient}

    here, moved = _counted(found, point, tangents)
    return here["value"], moved["gradient"]


def _hvp(
    value_and_gradient: Function, point: Parameters, draw: Draw, direction: Parameters
) -> tuple[Any, Array]:
    along = {name: x[None, ...] for name, x in direction.items()}
    value, moved = _moved(value_and_gradient, point, draw, along)
    return {name: each[0, ...] for name, each in moved.items()}, value


def _hessian(problem: Problem, together: Chunk, point: Parameters, draw: Draw, _: Any) -> tuple[Any, Array]:
    value_and_gradient = _value_and_gradient(problem, together)
    value: Array = None

    def block_row(name: str, x: Array) -> dict[str, Array]:
        def product(one: Array) -> dict[str, Array]:
            nonlocal value
            value, moved = _moved(value_and_gradient, point, draw, {name: one})
            return moved

        return rows(problem.arrays, x, product, lambda number: together(draw, number))

    return {name: block_row(name, x) for name, x in point.items()}, value
