"""numdifftools: extrapolated differences with an error estimate, some 30 evaluations for each parameter.

Central differences at a sequence of steps are extrapolated, and each coordinate takes the step at which its
own error estimate is smallest (D'Errico and Brodtkorb).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from gradmark.arguments import check_size
from gradmark.claims import Claims, Estimated, Growth
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, ravel, size
from gradmark.problem import Problem
from gradmark.work import counting


@dataclass(frozen=True)
class NumdifftoolsGradient:
    """``numdifftools.Gradient(loss, order=order)`` of the parameters as one vector, all else as it comes."""

    order: int = 2

    def __post_init__(self) -> None:
        if check_size("numdifftools_gradient", "order", self.order, 2) % 2:
            raise UsageError(f"numdifftools_gradient: `order={self.order}` must be even: 2, 4, 6 or more.")

    @property
    def claims(self) -> Claims:
        """Within its own error estimate; how many evaluations that takes is numdifftools' matter."""
        return Claims(
            family="finite-difference",
            exactness=Estimated(),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            backends=frozenset({"numpy"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """float64, where numdifftools is installed; no bounds, of which it knows nothing.

        In float32 its estimates are too small by more than ten times, as the judge found.
        """
        if find_spec("numdifftools") is None:
            return "numdifftools is not installed: install gradmark[peers]"
        if not size(problem.parameters):
            return "it takes no arrays of nothing"
        if problem.bounds is not None:
            return f"it steps out of the domain {problem.bounds}"
        if (problem.arrays.backend, problem.arrays.dtype) != ("numpy", "float64"):
            return f"numdifftools works in float64 of NumPy, not in {problem.arrays.dtype}"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Import numdifftools."""
        check_supported(self, problem, want)
        import numdifftools

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, (point, unravel) = draw or problem.default_draw, ravel(parameters)
            with counting() as work:
                found = numdifftools.Gradient(
                    lambda x: problem.loss(unravel(x.astype(point.dtype, copy=False)), draw),
                    order=self.order,
                    full_output=True,
                )(point)
            error = float(np.linalg.norm(np.asarray(found.error_estimate)))
            return Estimate(
                unravel(np.asarray(found.estimate, point.dtype).reshape(-1)), None, work.total(), error
            )

        return gradient
