"""SciPy's differentiation: ``scipy.differentiate.jacobian``, all coordinates at once, with an error estimate.

Differences of eighth order at steps that shrink until the estimate is small enough; an estimate is the
difference of the last two. The function is called with an array of P^2 numbers a step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_size
from gradmark.claims import Claims, Estimated, Growth
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, ravel, size
from gradmark.population import losses
from gradmark.problem import Problem
from gradmark.work import counting

_MOST = 3_000
"""Parameters: the square of more takes gigabytes."""


@dataclass(frozen=True)
class ScipyJacobian:
    """``scipy.differentiate.jacobian(loss, x, order=order)`` of the parameters as one vector."""

    order: int = 8

    def __post_init__(self) -> None:
        if check_size("scipy_jacobian", "order", self.order, 2) % 2:
            raise UsageError(f"scipy_jacobian: `order={self.order}` must be even: 2, 4, 6 or more.")

    @property
    def claims(self) -> Claims:
        """Within its own error estimate; 11 to 19 evaluations for each parameter."""
        return Claims(
            family="finite-difference",
            exactness=Estimated(),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 2}),
            backends=frozenset({"numpy"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """NumPy arrays of float64, few of them, without bounds, of which it knows nothing.

        In float32 half of its estimates are too small: two steps agree by chance, and it knows no rounding.
        """
        if size(problem.parameters) > _MOST:
            return f"it calls the loss with arrays of P^2 numbers, and takes at most {_MOST} parameters here"
        if not size(problem.parameters):
            return "it takes no arrays of nothing"
        if problem.bounds is not None:
            return f"it steps out of the domain {problem.bounds}"
        if problem.arrays.backend != "numpy":
            return f"SciPy takes NumPy arrays, not those of {problem.arrays.backend}"
        if problem.arrays.dtype == "float32":
            return "its error estimates are too small in float32: give it float64"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Import SciPy."""
        check_supported(self, problem, want)
        from scipy.differentiate import jacobian

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, (point, unravel) = draw or problem.default_draw, ravel(parameters)

            def loss(x: Any) -> Any:
                """The coordinates come first, then any axes of points."""
                members = np.ascontiguousarray(x.reshape(x.shape[0], -1).T)
                return losses(problem, unravel(members), parameters, draw).reshape(x.shape[1:])

            with counting() as work:
                found = jacobian(loss, point, order=self.order)
            error = float(np.linalg.norm(found.error))
            return Estimate(unravel(np.asarray(found.df, point.dtype).reshape(-1)), None, work.total(), error)

        return gradient
