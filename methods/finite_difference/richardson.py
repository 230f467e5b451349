"""Richardson extrapolation of central differences over a ladder of steps, coordinate by coordinate.

Central differences err by even powers of the step, c_2 h^2 + c_4 h^4 + ...; those of the steps h, h/r, h/r^2,
... are extrapolated to h = 0 (Richardson 1911), in a table that also tells its error (Ridders 1982); see
`extrapolation`. With all K levels the order is 2K. A coordinate stops when its error estimate grows: rounding
has taken over.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradmark.arguments import check_number, check_positive, check_size
from gradmark.claims import Claims
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.finite_difference import steps
from methods.finite_difference.evaluating.edges import EDGE
from methods.finite_difference.evaluating.probing import Probe, lacks_numbers, sizes_of
from methods.finite_difference.extrapolating.estimated import estimated_claims, prepare_estimated
from methods.finite_difference.extrapolating.ladder import Ladder


@dataclass(frozen=True)
class Richardson:
    """Central differences of the loss over `levels` steps, each 1/`ratio` of the one before, extrapolated.

    `step` is the first and longest one, absolute; None: eps^(1/(2 levels + 1)) times the root mean square of
    the coordinate's array. Near a bound of the problem's domain steps are shortened to stay inside.
    `Estimate.error` covers the error of the result: truncation, noise, and half of the jump of the slope at a
    kink inside of the steps.
    """

    step: float | None = None
    ratio: float = 2.0
    levels: int = 5

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("richardson", "step", self.step)
        check_number("richardson", "ratio", self.ratio, 1.1, 16)
        check_size("richardson", "levels", self.levels, 2)

    @property
    def claims(self) -> Claims:
        """Within its own estimate; 2KP evaluations at most, one at the point, and some for its noise."""
        return estimated_claims()

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem that has numbers; a call refuses a point on a bound of the domain: it has one side."""
        return unsupported(self, problem, want) or lacks_numbers(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        return prepare_estimated(problem, partial(self._slopes, problem), EDGE)

    def _slopes(self, problem: Problem, probe: Probe, centre: Any, noise: Any) -> tuple[Any, Any]:
        ladder = Ladder(probe, centre, noise, self.ratio)
        self._climb(ladder, self._first(problem, probe))
        return ladder.value, ladder.error

    def _first(self, problem: Problem, probe: Probe) -> Any:
        rule = steps.order_rule(2 * self.levels)(problem.arrays.epsilon)
        h = np.full(probe.x.shape, rule * sizes_of(probe.x) if self.step is None else self.step)
        h = steps.within(np, h, probe.x, problem.bounds)
        steps.check_room(np, h, probe.name, problem.bounds)
        return h

    def _climb(self, ladder: Ladder, h: Any) -> None:
        """Add levels until all are there, or every coordinate has stopped."""
        entries = np.arange(h.size)
        for level in range(self.levels):
            ladder.add(entries, h[entries] / self.ratio**level)
            entries = entries[~ladder.past_its_best(entries)]
            if entries.size == 0:
                break
