"""torch.autograd: reverse mode over the graph that torch records while the loss runs."""

from dataclasses import dataclass
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.measuring.saved import saved_by_torch
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.autograd_quantities import prepare_quantity


@dataclass(frozen=True)
class Autograd:
    """``torch.autograd.grad`` of the loss, as a user of torch would write it.

    Other quantities: see `autograd_quantities.py`.
    """

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes one forward pass and one pullback."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            backends=frozenset({"torch"}),
            wants=frozenset({"gradient", "vjp", "jacobian", "hvp", "hessian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing to prepare: the graph is recorded anew by every call."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want)
        torch = problem.arrays.xp

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            leaves = {name: array.detach().requires_grad_(True) for name, array in parameters.items()}
            with torch.enable_grad():  # a caller may record none, as in a step of gradient descent
                value = problem.loss(leaves, draw)
            # A parameter that the loss does not read has a gradient of zeros, not none.
            arrays = torch.autograd.grad(
                value, list(leaves.values()), allow_unused=True, materialize_grads=True
            )
            rows = share_of_rows(problem, draw)
            count(pullback=rows)  # torch makes it, where no layer can report it
            result = dict(zip(leaves, arrays, strict=True))
            return Estimate(result, value.detach(), Work(forward=rows, pullback=rows, declared=True))

        return gradient

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes that the graph keeps; the inputs among them."""
        return saved_by_torch(problem)
