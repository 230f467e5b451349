"""Central differences: (f(x + h e_i) - f(x - h e_i)) / 2h for each coordinate i.

The even terms of the Taylor series cancel: the error is h^2 |f'''| / 6 + eps |f| / h, at best about
eps^(2/3). Two evaluations for each parameter. The divisor is the step as rounded, (x + h) - (x - h).
"""

from dataclasses import dataclass

from gradmark.claims import Claims
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.finite_difference.evaluating.accumulating import reason_against
from methods.finite_difference.stencils.of_outputs import reason_against_outputs, symmetric_outputs
from methods.finite_difference.stencils.options import check_options
from methods.finite_difference.stencils.symmetric import symmetric, symmetric_claims
from methods.finite_difference.stencils.weights import central


@dataclass(frozen=True)
class CentralDifference:
    """Two-sided differences of the loss, coordinate by coordinate.

    `step` is the absolute step of every coordinate. Near a bound of the problem's domain steps are shortened
    to stay inside; on a bound it refuses.

    `rule` says how steps are chosen where `step` is None: dtype, eps^(1/3) times the coordinate's size
    (`steps.lengths`), with no estimate of the error: a slope that the rounding of the loss swallows is zero;
    noise, gill or shi, which measure noise and curvature first and then also estimate the error (see
    `steps.choosing`, `stencils.erring`). `accumulate` is the dtype in which a network's loss is added up:
    problem, or float64 where its outputs are in fewer digits.

    A jvp or a Jacobian is differences of the outputs, with a step or by dtype: see `stencils.of_outputs`.
    """

    step: float | None = None
    rule: str = "dtype"
    accumulate: str = "problem"

    def __post_init__(self) -> None:
        check_options("central_difference", self)

    @property
    def claims(self) -> Claims:
        """Second order in the step; 2P evaluations of the loss, and those that measure the step."""
        return symmetric_claims(self, 2)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem; a call refuses a point on the bound of its domain, which has one side only."""
        if reason := reason_against_outputs(self, want) or unsupported(self, problem, want):
            return reason
        return reason_against(problem, self.accumulate)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        if want != "gradient":
            return symmetric_outputs(problem, want, self.step, central(2))
        return symmetric(self, problem, 2)
