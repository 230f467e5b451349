"""Forward mode, derived by hand: each layer's tangent, pushed through the layers above it.

With z = x W^T + b and h = sigma(z), a direction (dW, db) moves

    dz = dx W^T + x dW^T + db,   dh = sigma'(z) * dz,   dL = sum of dL/dy * dy at the outputs y,

and the derivatives along all basis directions are the gradient (Wengert 1964). There is no way back, and
nothing to store for it; but P directions take P tangent passes, so that time grows with P^2.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished, size
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.answering import answering
from methods.forward.basis import along_basis
from methods.forward.products import jacobian_by, jvp_by
from methods.forward.slopes import against_layers, by_layers


@dataclass(frozen=True)
class Tangent:
    """Hand-derived forward mode over all basis directions, for problems that know their layers."""

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes one forward pass, which all directions share, and P tangent passes."""
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "pushforward"}),
            growth=Growth(
                passes=1,
                time={"parameters": 2, "batch": 1, "depth": 2},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, tangent=size(problem.parameters)),
            wants=frozenset({"gradient", "jvp", "jacobian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that have a pushforward."""
        return against_layers(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Compile on JAX; elsewhere there is nothing to prepare."""
        check_supported(self, problem, want)
        compiled = problem.arrays.backend == "jax"
        if want != "gradient":
            to_outputs = by_layers(problem, outputs=True)
            together = partial(per_chunk, problem)
            answer = jvp_by(to_outputs) if want == "jvp" else jacobian_by(problem, to_outputs, together)
            return answering(problem, want, answer, declared=compiled)
        bind = by_layers(problem)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            rows, point = draw or problem.default_draw, detached(parameters)
            with counting() as work:
                value, result = along_basis(
                    problem.arrays, point, bind(point, rows), lambda number: per_chunk(problem, rows, number)
                )
            return Estimate(finished(result), value, work.total(declared=compiled))

        return gradient
