"""Central differences of any even order: sum over k of w_k f(x + k h e_i) / h for each coordinate i.

Order p takes p points, and its weights (Fornberg 1988, see `stencils`) remove all terms of the Taylor series
up to h^(p-1): the error is c h^p |f^(p+1)| + w eps |f| / h, at best about eps^(p/(p+1)). Order 2 is
`central_difference`, order 4 the five-point formula (-f(2h) + 8 f(h) - 8 f(-h) + f(-2h)) / 12h.
"""

from dataclasses import dataclass

from gradmark.arguments import check_size
from gradmark.claims import Claims
from gradmark.errors import UsageError
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.finite_difference.evaluating.accumulating import reason_against
from methods.finite_difference.stencils.of_outputs import reason_against_outputs, symmetric_outputs
from methods.finite_difference.stencils.options import check_options
from methods.finite_difference.stencils.symmetric import symmetric, symmetric_claims
from methods.finite_difference.stencils.weights import central, highest_order


@dataclass(frozen=True)
class StencilDifference:
    """Symmetric differences of `order` of the loss, coordinate by coordinate.

    `order` is even: from 2 to 56, beyond which the outermost weights are lost in float64. `step` is the
    absolute step of every coordinate. Near a bound of the problem's domain steps are shortened to stay
    inside; on a bound it refuses.

    `rule` says how steps are chosen where `step` is None: dtype, eps^(1/(order + 1)) times the
    coordinate's size (`steps.lengths`), with no estimate of the error: a slope that the rounding of the loss
    swallows is zero; noise, gill or shi, which measure noise and curvature first and then also estimate the
    error (see `steps.choosing`, `stencils.erring`). `accumulate` is the dtype in which a network's loss is
    added up: problem, or float64 where its outputs are in fewer digits.

    A jvp or a Jacobian is differences of the outputs, with a step or by dtype: see `stencils.of_outputs`.
    """

    order: int = 4
    step: float | None = None
    rule: str = "dtype"
    accumulate: str = "problem"

    def __post_init__(self) -> None:
        check_options("stencil_difference", self)
        if check_size("stencil_difference", "order", self.order, least=2) % 2 or self.order > highest_order():
            raise UsageError(
                f"stencil_difference: `order={self.order}` must be an even number from 2 to "
                f"{highest_order()}: higher orders have weights that float64 loses."
            )

    @property
    def claims(self) -> Claims:
        """Of its order in the step; `order` evaluations for each parameter, and those for the step."""
        return symmetric_claims(self, self.order)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem, as `central_difference`; with accumulate=float64 it needs outputs and a criterion."""
        if reason := reason_against_outputs(self, want) or unsupported(self, problem, want):
            return reason
        return reason_against(problem, self.accumulate)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        if want != "gradient":
            return symmetric_outputs(problem, want, self.step, central(self.order))
        return symmetric(self, problem, self.order)
