"""Activity perturbation: random moves of the pre-activations, weighted by the slope of each row's own loss.

    s_l[b, i] = 1/K sum over k of (dL_b along u_k) u_k,l[b, i],   E[u u^T] = I,   gradient_l = s_l^T h_(l-1)

One tangent pass moves every node of every row at once. Rows do not influence each other (blocks of them
where they do, `gradmark.nodes`), so that the slope of a row's loss speaks of that row's nodes alone: the
variance grows with the nodes of one row and not with the weights (Ren, Kornblith, Liao and Hinton, "Scaling
forward gradient with local losses", ICLR 2023; the formula is that of `activity_variance`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_name, check_size
from gradmark.arrays import Array
from gradmark.claims import Claims, Growth, Unbiased
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.nodes import against_nodes
from gradmark.noise import noise_rows
from gradmark.parameters import Parameters, detached, finished
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.forward.slopes import against_layers
from methods.forward.structured.activity_passes import Steps, by_rows
from methods.forward.structured.activity_variance import variance_factor

LAWS = ("gaussian", "rademacher")


@dataclass(frozen=True)
class ActivityPerturbation:
    """The mean over `directions` random moves of all nodes; `law` is gaussian or rademacher (signs).

    Parameters that have no nodes (scale and shift behind a normalisation), or fewer numbers than their nodes
    (a convolution's kernels), move themselves in the same pass, weighted by the slope of the whole loss.
    """

    directions: int = 16
    law: str = "gaussian"

    def __post_init__(self) -> None:
        check_size("activity_perturbation", "directions", self.directions)
        check_name("law", self.law, LAWS)

    @property
    def claims(self) -> Claims:
        """Unbiased, with a variance that depends on the data; one forward pass and K tangent passes.

        Of the number of parameters alone nothing follows: the guess is the nodes of four equal layers.
        """
        return Claims(
            family="forward",
            exactness=Unbiased(
                "directions",
                lambda number: 2 * number**0.5,
                lambda problem, gradient: variance_factor(problem, gradient, self.law),
            ),
            reads=frozenset({"pushforward"}),
            growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=1, tangent=self.directions),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers with nodes, and a pushforward in each."""
        return against_nodes(problem) or against_layers(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Open the nodes for the rows of each draw; compile on JAX."""
        check_supported(self, problem, want)
        steps_for, compiled = by_rows(problem, Steps), problem.arrays.backend == "jax"

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            rows, point = draw or problem.default_draw, detached(parameters)
            steps = steps_for(rows)
            with counting() as work:
                before = steps.forward(point, rows)
                mean = self._mean(
                    problem, rows, seed, steps.numbers, lambda u: steps.weighted(point, rows, before, u)
                )
                result = finished(steps.contracted(point, before, mean))
            return Estimate(result, before.value, work.total(declared=compiled))

        return gradient

    def _mean(
        self, problem: Problem, draw: Draw, seed: int, number: int, weighted: Callable[[Array], Array]
    ) -> Array:
        """The mean of the weighted moves, shape (`number`,), added up a chunk at a time."""
        arrays, total = problem.arrays, None
        chunk = per_chunk(problem, draw, number)
        for noise in noise_rows(arrays, self.law, seed, self.directions, number, chunk):
            found = weighted(noise)
            total = found if total is None else total + found
        assert total is not None
        return arrays.xp.astype(total / self.directions, arrays.dtype_object, copy=False)
