"""Backpropagation, derived by hand: the delta recursion of Rumelhart, Hinton and Williams (1986).

One forward pass keeps what each layer needs; one pass back through the layers gives every derivative:

    delta_L = dL/dz_L,   delta_l = (W_{l+1}^T delta_{l+1}) * sigma_l'(z_l),
    dL/dW_l = sum over rows of delta_l h_{l-1}^T,   dL/db_l = sum over rows of delta_l.

It costs at most three forward passes of matrix products, two of them on the way back, whatever P is.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark import passes
from gradmark.arguments import check_switch
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.measuring.saved import saved_by_layers
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached
from gradmark.problem import Problem
from gradmark.structure import all_in_place
from gradmark.work import Work, counting
from methods.reverse.backprop_in_place import prepare_in_place
from methods.reverse.backprop_quantities import prepare_quantity
from methods.reverse.compiled_by_jax import prepare_compiled


@dataclass(frozen=True)
class Backprop:
    """Hand-derived reverse mode for problems that know their layers, on every backend.

    `fast` lets it work in buffers allocated once (`backprop_in_place.py`) and, on JAX, compile. Products with
    J^T and the Jacobian: see `backprop_quantities.py`.
    """

    fast: bool = True

    def __post_init__(self) -> None:
        check_switch("backprop", "fast", self.fast)

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes one forward pass and one pullback."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            wants=frozenset({"gradient", "vjp", "jacobian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers."""
        if problem.layers is None:
            return f"{problem.call.name} has no layers to run the delta recursion through"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Allocate the workspace, or compile, where that pays."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want, compiled=self.fast and problem.arrays.backend == "jax")
        if self.fast and problem.arrays.backend == "jax":
            return prepare_compiled(problem, partial(_value_and_gradient, problem))
        portable = _portable(problem)
        if self.fast and all_in_place(problem.layers, problem.criterion):
            return prepare_in_place(problem, portable)
        return portable

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes that each layer is the first to keep; inputs and outputs among them."""
        return saved_by_layers(problem)


def _value_and_gradient(problem: Problem, parameters: Parameters, draw: Draw) -> tuple[Any, dict[str, Any]]:
    assert problem.criterion is not None
    trace = passes.forward(problem, parameters, draw)
    gradient = passes.pullback(problem, parameters, draw, trace)
    return problem.criterion.value(trace.outputs, draw), gradient


def _portable(problem: Problem) -> Prepared:
    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        with counting() as work:
            value, result = _value_and_gradient(problem, detached(parameters), draw or problem.default_draw)
        return Estimate(result, value, work.total())

    return gradient
