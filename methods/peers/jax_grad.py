"""JAX's reverse mode: the loss traced, differentiated and compiled by XLA, as a user of JAX writes it."""

from dataclasses import dataclass
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, finished, zeros_like
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, uncounted


@dataclass(frozen=True)
class JaxGrad:
    """``jax.jit(jax.value_and_grad(loss))``, the draw being an argument, so that no data is compiled in."""

    @property
    def claims(self) -> Claims:
        """Exact; one forward pass and one pullback."""
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
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs JAX arrays."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Compile for the shapes of the default draw; another number of rows is compiled when it comes."""
        check_supported(self, problem, want)
        import jax

        compiled = jax.jit(
            jax.value_and_grad(lambda parameters, arrays: problem.loss(parameters, Draw(arrays)))
        )
        xp = problem.arrays.xp
        with uncounted():  # XLA compiles at the first call.
            compiled(zeros_like(problem.parameters, xp), zeros_like(problem.default_draw.arrays, xp))

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            with uncounted():
                value, found = compiled(dict(parameters), dict(draw.arrays))
            result = finished({name: found[name] for name in parameters})
            rows = share_of_rows(problem, draw)
            return Estimate(result, value, Work(forward=rows, pullback=rows, declared=True))

        return gradient
