"""torch.func: reverse mode as a transformation of functions, as a user of torch.func writes it."""

from dataclasses import dataclass
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.peers.func_grad_quantities import prepare_quantity


@dataclass(frozen=True)
class FuncGrad:
    """``torch.func.grad_and_value(loss)`` of the dict of parameters, run as it is, without a compiler."""

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
        """Transform the loss."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want)
        import torch

        gradient_and_value = torch.func.grad_and_value(problem.loss)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            found, value = gradient_and_value(detached(parameters), draw)
            rows = share_of_rows(problem, draw)
            count(pullback=rows)  # torch makes it, where no layer can report it
            return Estimate(dict(found), value, Work(forward=rows, pullback=rows, declared=True))

        return gradient
