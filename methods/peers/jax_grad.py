"""JAX's reverse mode: the loss traced, differentiated and compiled by XLA, as a user of JAX writes it."""

from dataclasses import dataclass

from gradmark.claims import Claims, Exact, Growth
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from gradmark.work import Work
from methods.peers.jax_grad_quantities import prepare_quantity
from methods.reverse.compiled_by_jax import prepare_compiled


@dataclass(frozen=True)
class JaxGrad:
    """``jax.jit(jax.value_and_grad(loss))``, the draw being an argument, so that no data is compiled in."""

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes one forward pass and one pullback."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "jax trace"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            backends=frozenset({"jax"}),
            wants=frozenset({"gradient", "vjp", "jacobian", "hvp", "hessian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs JAX arrays."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Compile for the shapes of the default draw; another number of rows is compiled when it comes."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want)
        import jax

        return prepare_compiled(problem, jax.value_and_grad(problem.loss))
