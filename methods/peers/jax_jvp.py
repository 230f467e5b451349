"""JAX's forward mode: ``jax.linearize`` and ``jax.jvp``, mapped over directions and compiled by XLA.

A function is linearised once at the point; its linear part is then applied to every basis direction, several
at a time by ``jax.lax.map``. Second derivatives are forward over reverse: the gradient is what is linearised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arguments import check_size
from gradmark.arrays import Array
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from gradmark.quantities import DIRECTED, OF_OUTPUTS
from gradmark.work import Work
from methods.answering import fixed
from methods.answering_by_jax import answering_by_jax, rows_by_jax
from methods.forward.slopes import transformed_together


@dataclass(frozen=True)
class JaxJvp:
    """Forward mode of JAX, for any JAX problem.

    `chunk` directions of one parameter array go together; None: see `transformed_together`.
    """

    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.chunk is not None:
            check_size("jax_jvp", "chunk", self.chunk)

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes P tangent passes, and a forward pass for each parameter array."""
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "jax trace"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: _work(problem, "gradient"),
            backends=frozenset({"jax"}),
            wants=frozenset({"gradient", "jvp", "jacobian", "hvp", "hessian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs JAX arrays."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Compile for the shapes of the default draw; another number of rows is compiled when it comes."""
        check_supported(self, problem, want)
        if want in DIRECTED:
            answer = partial(_along, problem, want)
        else:
            answer = partial(_along_basis, problem, want, self.chunk)
        return answering_by_jax(problem, want, answer, stated=fixed(_work(problem, want)))


def _along(
    problem: Problem, want: Want, point: Parameters, draw: Draw, direction: Parameters
) -> tuple[Any, Array]:
    """The derivative along `direction`."""
    import jax

    function = _function(problem, want, point, draw)
    _, moved, value = jax.jvp(function, (dict(point),), (dict(direction),), has_aux=True)
    return moved, value


def _along_basis(
    problem: Problem, want: Want, chunk: int | None, point: Parameters, draw: Draw, _: None
) -> tuple[Any, Array]:
    """The derivatives along all basis directions, one array at a time."""
    import jax

    function, values = _function(problem, want, point, draw), []

    def block(name: str, x: Array) -> Any:
        _, push, value = jax.linearize(function, {name: x}, has_aux=True)
        values.append(value)
        together = chunk or transformed_together(problem, draw, x.size)
        made = rows_by_jax(x, lambda one: push({name: one}), together)
        if want == "jacobian":  # whose outputs come first
            return jax.numpy.moveaxis(made, tuple(range(x.ndim)), tuple(range(-x.ndim, 0)))
        return made

    return {name: block(name, x) for name, x in point.items()}, values[0]


def _function(
    problem: Problem, want: Want, point: Parameters, draw: Draw
) -> Callable[[Parameters], tuple[Any, Array]]:
    """What is differentiated, of the parameters that move; and beside it the loss or the outputs."""
    import jax

    def gradient(moving: Parameters) -> tuple[Any, Array]:
        value, found = jax.value_and_grad(problem.loss)({**point, **moving}, draw)
        return found, value

    def itself(moving: Parameters) -> tuple[Any, Array]:
        value = (problem.outputs if want in OF_OUTPUTS else problem.loss)({**point, **moving}, draw)
        return value, value

    return gradient if want in ("hvp", "hessian") else itself


def _work(problem: Problem, want: Want) -> Work:
    """A tangent for each direction, and once for each array that moves what it is the tangent of."""
    directed = want in DIRECTED
    directions = 1 if directed else size(problem.parameters)
    points = 1 if directed else len(problem.parameters)
    if want in ("hvp", "hessian"):
        return Work(forward=points, pullback=points, tangent=2 * directions)
    return Work(forward=points, tangent=directions)
