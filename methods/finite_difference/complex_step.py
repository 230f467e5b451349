"""The complex step: Im f(x + i h e_i) / h for each coordinate i (Lyness & Moler 1967; Squire & Trapp 1998).

A real-analytic f has f(x + ih) = f(x) + i h f'(x) - h^2 f''(x) / 2 - ..., whose imaginary part holds the
derivative without any subtraction: h can be so small that only rounding is left. One complex evaluation for
each parameter, which costs three to four real ones.

The loss must be written with analytic operations. ``abs``, ``conj``, ``vdot`` and norms are not: they take
complex numbers and give a wrong derivative, which real differences along one direction see (`analytic`).
Branches must look at real parts.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_positive, check_switch
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.dtypes import COMPLEX, smallest
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished, size
from gradmark.problem import Problem, accepts
from gradmark.quantities import OF_OUTPUTS
from gradmark.work import Work, counting
from methods.finite_difference import steps
from methods.finite_difference.complex_step_quantities import prepare_quantity
from methods.finite_difference.evaluating.analytic import EVALUATIONS, check_analytic
from methods.finite_difference.evaluating.coordinates import coordinate_losses


@dataclass(frozen=True)
class ComplexStep:
    """Imaginary parts of the loss at imaginary steps, coordinate by coordinate.

    `step` is the absolute step of every coordinate; None: eps^(3/2) times the coordinate's size (see
    `steps.sizes`). `check`: the slope along one direction is compared with that of real differences, for five
    evaluations more, and a loss that is not analytic is refused. A jvp or a Jacobian is complex steps of the
    outputs: see `complex_step_quantities.py`.
    """

    step: float | None = None
    check: bool = True

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("complex_step", "step", self.step)
        check_switch("complex_step", "check", self.check)

    @property
    def claims(self) -> Claims:
        """Exact; P complex evaluations of the loss, and five real ones if they are checked."""
        asked = EVALUATIONS if self.check else 0
        return Claims(
            family="finite-difference",
            exactness=Exact(),
            reads=frozenset({"loss"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=size(problem.parameters) + asked),
            wants=frozenset({"gradient", "jvp", "jacobian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs a loss, or outputs, that carry complex numbers all the way; this is tried."""
        if reason := unsupported(self, problem, want):
            return reason
        dtype = COMPLEX.get(problem.arrays.dtype)
        if dtype is None:
            return f"{problem.arrays.dtype} has no complex counterpart"
        of_outputs = want in OF_OUTPUTS
        if not accepts(problem, dtype, of_outputs=of_outputs):
            what = "outputs do" if of_outputs else "loss does"
            return f"its {what} not carry {dtype} on the {problem.arrays.backend} backend"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates moved coordinates."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want, self.step, self.check)
        arrays, losses_at = problem.arrays, coordinate_losses(problem)
        xp, complex_arrays = arrays.xp, arrays.complexified()

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, point, result = draw or problem.default_draw, detached(parameters), {}
            complex_draw, complex_point = Draw(complex_arrays.cast(draw.arrays)), complex_arrays.cast(point)
            with counting() as work:
                value = problem.loss(point, draw) if self.check else None
                for name, x in point.items():
                    h = steps.wanted(arrays, x, steps.complex_rule, self.step)
                    h = xp.maximum(h, xp.full_like(h, smallest(arrays.dtype)))
                    moved = complex_point[name] + 1j * xp.astype(h, complex_arrays.dtype_object)
                    result[name] = xp.imag(losses_at(complex_point, complex_draw, name, moved)) / h
                if self.check:
                    check_analytic(problem, point, draw, result, value)
            return Estimate(finished(result), value, work.total())

        return gradient
