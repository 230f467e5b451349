"""Gradient clipping by value: each entry of the gradient, cut to an interval around zero.

    min(max(g_i, -c), c)

Signs are kept, so that it points along the gradient; its direction is another one as soon as some entries are
cut and others are not (cos < 1), in the extreme that of sign(g).
"""

from dataclasses import dataclass

from gradmark.arguments import check_positive
from gradmark.claims import Claims, Target
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.transformations.clipping import Clipped, Named, clipped_claims, inner_method, representable


@dataclass(frozen=True)
class ClippedByValue:
    """The gradient of `method` with entries from -`limit` to `limit`.

    `method` is a name, with hyper-parameters as in ``gaussian_es:pairs=4;sigma=0.1``. An infinite entry is
    cut like others, as torch's ``clip_grad_value_`` does; NaN stays NaN.
    """

    method: str = "backprop"
    limit: float = 0.1

    def __post_init__(self) -> None:
        check_positive("clipped_by_value", "limit", self.limit)
        inner_method("clipped_by_value", self.method)

    @property
    def claims(self) -> Claims:
        """Those of the method inside, for a direction whose entries are at most `limit`."""
        return clipped_claims(
            inner_method("clipped_by_value", self.method).claims, Target("direction", largest=self.limit)
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """What the method inside supports, of gradients."""
        inner = inner_method("clipped_by_value", self.method)
        return unsupported(self, problem, want) or inner.supports(problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Prepare the method inside."""
        check_supported(self, problem, want)
        inner = inner_method("clipped_by_value", self.method).prepare(problem, want)
        xp, dtype = problem.arrays.xp, problem.arrays.dtype_object
        most = representable(self.limit, xp, dtype)

        def cut(gradient: Named) -> Named:
            return {name: xp.clip(array, -most, most) for name, array in gradient.items()}

        return Clipped(inner, cut)
