"""Forward differences: (f(x + h e_i) - f(x)) / h for each coordinate i.

The oldest numerical derivative. Its error is h |f''| / 2 + 2 eps |f| / h, at best about eps^(1/2); one
evaluation for each parameter, and one at the point. The divisor is the step as rounded, (x + h) - x.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_positive
from gradmark.claims import Claims, Growth, Truncated
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished, size
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.finite_difference import steps
from methods.finite_difference.coordinates import coordinate_losses


@dataclass(frozen=True)
class ForwardDifference:
    """One-sided differences of the loss, coordinate by coordinate.

    `step` is the absolute step of every coordinate; None: eps^(1/2) times the root mean square of the
    coordinate's array. Where the problem has bounds, steps go to the side of the farther one.
    """

    step: float | None = None

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("forward_difference", "step", self.step)

    @property
    def claims(self) -> Claims:
        """First order in the step; P + 1 evaluations of the loss, and nothing else."""
        return Claims(
            family="finite-difference",
            exactness=Truncated(1, "step"),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=size(problem.parameters) + 1),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        arrays, losses_at = problem.arrays, coordinate_losses(problem)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, point, result = draw or problem.default_draw, detached(parameters), {}
            with counting() as work:
                value = problem.loss(point, draw)
                for name, x in point.items():
                    h = steps.wanted(arrays, x, steps.forward_rule, self.step)
                    h = steps.resolved(arrays, x, h)
                    moved = x + steps.towards(arrays.xp, h, x, problem.bounds)
                    result[name] = (losses_at(point, draw, name, moved) - value) / (moved - x)
            return Estimate(finished(result), value, work.total())

        return gradient
