"""Central differences: (f(x + h e_i) - f(x - h e_i)) / 2h for each coordinate i.

The even terms of the Taylor series cancel: the error is h^2 |f'''| / 6 + eps |f| / h, at best about
eps^(2/3). Two evaluations for each parameter. The divisor is the step as rounded, (x + h) - (x - h).
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
class CentralDifference:
    """Two-sided differences of the loss, coordinate by coordinate.

    `step` is the absolute step of every coordinate; None: eps^(1/3) times the root mean square of the
    coordinate's array. Near a bound of the problem's domain steps are shortened to stay inside.
    """

    step: float | None = None

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("central_difference", "step", self.step)

    @property
    def claims(self) -> Claims:
        """Second order in the step; 2P evaluations of the loss, none of them at the point."""
        return Claims(
            family="finite-difference",
            exactness=Truncated(2, "step"),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=2 * size(problem.parameters)),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem; a call refuses a point on the bound of its domain, which has one side only."""
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
                for name, x in point.items():
                    h = steps.wanted(arrays, x, steps.central_rule, self.step)
                    h = steps.resolved(arrays, x, h)
                    h = steps.within(arrays.xp, h, x, problem.bounds)
                    right, left = x + h, x - h
                    steps.check_room(arrays.xp, right - left, name, problem.bounds)
                    difference = losses_at(point, draw, name, right) - losses_at(point, draw, name, left)
                    result[name] = difference / (right - left)
            return Estimate(finished(result), None, work.total())

        return gradient
