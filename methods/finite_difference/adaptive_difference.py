"""Differences whose order and step are chosen for each coordinate, from what its losses show.

Each coordinate climbs down a ladder of central differences, whose steps are a quarter of the one before, and
takes the entry of the extrapolation table (`extrapolation`) with the least error: its column is the order,
its row the step. It stops where noise rules. Where the loss is not finite the step is cut, and at an edge of
its domain the coordinate goes on with differences to the one side that there is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_size
from gradmark.claims import Claims, Estimated, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.work import counting
from methods.finite_difference.evaluating.coordinates import coordinate_losses
from methods.finite_difference.evaluating.probing import Probe, lacks_numbers, noise_of, on_host
from methods.finite_difference.extrapolating.ladder import check_found, error_norm
from methods.finite_difference.extrapolating.search import Search

_NOWHERE = "give more `evaluations`, or a point farther inside of its domain"


@dataclass(frozen=True)
class AdaptiveDifference:
    """Differences of the loss of an order and a step that suit each coordinate, within a budget.

    `evaluations` is the budget of each coordinate. `Estimate.error` covers the error of the result:
    truncation, noise, and half of the jump of the slope at a kink inside of the steps; it is infinite where
    no two steps agreed.
    """

    evaluations: int = 12

    def __post_init__(self) -> None:
        check_size("adaptive_difference", "evaluations", self.evaluations, 4)

    @property
    def claims(self) -> Claims:
        """Within its own estimate; beside its budget one evaluation at the point, some for its noise."""
        return Claims(
            family="finite-difference",
            exactness=Estimated(),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem that has numbers."""
        return unsupported(self, problem, want) or lacks_numbers(problem)

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
            draw, point, result, errors = draw or problem.default_draw, detached(parameters), {}, []
            with counting() as work:
                value = problem.loss(point, draw)
                centre, noise = on_host(arrays, value)[0], noise_of(problem, point, draw, value)
                for name, x in point.items():
                    search = Search(Probe(problem, losses_at, point, draw, name), centre, noise)
                    slopes, error = search.run(self.evaluations)
                    check_found(name, centre, slopes, _NOWHERE)
                    result[name] = arrays.array(slopes.reshape(tuple(x.shape)))
                    errors.append(error + arrays.epsilon * np.abs(slopes))
            return Estimate(finished(result), value, work.total(), error_norm(errors))

        return gradient
