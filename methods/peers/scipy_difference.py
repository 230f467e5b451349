"""SciPy's finite differences: its ``approx_derivative``, a coordinate at a time in a Python loop.

This is what SciPy's optimisers use where nobody gives them a gradient; the function has no public name, but
``least_squares(jac="3-point")`` and ``minimize`` call it. One coordinate is moved by a step relative to
max(1, |x|): eps^(1/3) of it for three points, eps^(1/2) for two and for the complex step "cs", which is so
long that its truncation, h^2 |f'''| / 6, is seen wherever the loss curves on a scale below 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_name, check_positive
from gradmark.claims import Claims, Growth, Truncated
from gradmark.draw import Draw
from gradmark.dtypes import COMPLEX
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, ravel, size
from gradmark.problem import Problem, accepts
from gradmark.work import Work, counting

_SCHEMES = {"2-point": (1, 1), "3-point": (2, 2), "cs": (1, 2)}
"""Evaluations for each coordinate (one more is made at the point), and the order."""


@dataclass(frozen=True)
class ScipyDifference:
    """``approx_derivative(loss, x, method=scheme, abs_step=step)`` of the parameters as one vector.

    `scheme` is 2-point, 3-point or cs. `step` None: SciPy's own.
    """

    scheme: str = "3-point"
    step: float | None = None

    def __post_init__(self) -> None:
        check_name("scheme", self.scheme, tuple(_SCHEMES))
        if self.step is not None:
            check_positive("scipy_difference", "step", self.step)

    @property
    def claims(self) -> Claims:
        """First order in the step for two points, else second; 1 + P evaluations, 1 + 2P for three points."""
        points, order = _SCHEMES[self.scheme]
        return Claims(
            family="finite-difference",
            exactness=Truncated(order, "step"),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=1 + points * size(problem.parameters)),
            backends=frozenset({"numpy"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """NumPy arrays of float32 or float64; for cs a loss that carries complex numbers; this is tried."""
        if reason := unsupported(self, problem, want):
            return reason
        arrays = problem.arrays
        if arrays.backend != "numpy":
            return f"SciPy takes NumPy arrays, not those of {arrays.backend}"
        if self.scheme == "cs" and not accepts(problem, COMPLEX[arrays.dtype]):
            return f"its loss does not carry {COMPLEX[arrays.dtype]}"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Import SciPy."""
        check_supported(self, problem, want)
        from scipy.optimize._numdiff import approx_derivative

        bounds: Any = problem.bounds or (-np.inf, np.inf)
        scheme: Any = self.scheme

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, (point, unravel) = draw or problem.default_draw, ravel(parameters)
            carried = Draw(problem.arrays.complexified().cast(draw.arrays)) if self.scheme == "cs" else draw

            def loss(x: Any) -> Any:
                return problem.loss(unravel(x), carried)

            with counting() as work:
                value = problem.loss(parameters, draw)
                slopes = approx_derivative(
                    loss, point, method=scheme, abs_step=self.step, f0=value, bounds=bounds
                )
            result = unravel(np.asarray(slopes, dtype=point.dtype).reshape(-1))
            return Estimate(result, value, work.total())

        return gradient
