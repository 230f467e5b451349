"""Backward differences: (f(x) - f(x - h e_i)) / h for each coordinate i.

The mirror of `forward_difference`: the same error with the other sign of its leading term, at the same cost.
Where a function is not differentiable, the two are its one-sided derivatives.
"""

from dataclasses import dataclass

from gradmark.claims import Claims
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.finite_difference.evaluating.accumulating import reason_against
from methods.finite_difference.stencils.of_outputs import one_sided_outputs, reason_against_outputs
from methods.finite_difference.stencils.one_sided import one_sided, one_sided_claims
from methods.finite_difference.stencils.options import check_options


@dataclass(frozen=True)
class BackwardDifference:
    """One-sided differences of the loss, coordinate by coordinate.

    `step` is the absolute step of every coordinate. Where a bound of the domain is nearer than twice the step
    and the other is farther, it is taken forward.

    `rule` says how steps are chosen where `step` is None: dtype, eps^(1/2) times the coordinate's size
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
        check_options("backward_difference", self)

    @property
    def claims(self) -> Claims:
        """First order in the step; P + 1 evaluations of the loss, and those that measure the step."""
        return one_sided_claims(self)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem; with accumulate=float64 it needs outputs and a criterion."""
        if reason := reason_against_outputs(self, want) or unsupported(self, problem, want):
            return reason
        return reason_against(problem, self.accumulate)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        if want != "gradient":
            return one_sided_outputs(problem, want, self.step, -1)
        return one_sided(self, problem, -1)
