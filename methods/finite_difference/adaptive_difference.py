"""Differences whose order and step are chosen for each coordinate, from what its losses show.

Each coordinate climbs down a ladder of central differences, whose steps are a quarter of the one before, and
takes the entry of the extrapolation table (`extrapolation`) with the least error: its column is the order,
its row the step. It stops where noise rules. Where the loss is not finite the step is cut, and at an edge of
its domain the coordinate goes on with differences to the one side that there is.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_size
from gradmark.claims import Claims
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.finite_difference.evaluating.probing import Probe, lacks_numbers
from methods.finite_difference.extrapolating.estimated import estimated_claims, prepare_estimated
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
        return estimated_claims()

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem that has numbers."""
        return unsupported(self, problem, want) or lacks_numbers(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        return prepare_estimated(problem, self._slopes, _NOWHERE)

    def _slopes(self, probe: Probe, centre: Any, noise: Any) -> tuple[Any, Any]:
        return Search(probe, centre, noise).run(self.evaluations)
