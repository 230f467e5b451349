"""torch.func.jvp of the loss along every basis direction, many directions at a time by torch.func.vmap.

This is how torch does forward mode over any function of tensors. Each chunk of directions computes the loss
once, with its tangents beside it; so a gradient takes P tangent passes and as many forward passes as chunks.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arguments import check_size
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work
from methods.forward.basis import along_basis
from methods.forward.jvp_quantities import prepare_quantity
from methods.forward.slopes import by_torch, transformed_together


@dataclass(frozen=True)
class Jvp:
    """Forward mode of torch, for any torch problem.

    `chunk` directions of one parameter array go together; None: see `transformed_together`. Other quantities:
    see `jvp_quantities.py`.
    """

    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.chunk is not None:
            check_size("jvp", "chunk", self.chunk)

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes P tangent passes, and a forward pass for each chunk of them."""
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: self._work(problem, problem.default_draw, problem.parameters),
            backends=frozenset({"torch"}),
            wants=frozenset({"gradient", "jvp", "jacobian", "hvp", "hessian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing to prepare: torch transforms the loss anew in every call."""
        check_supported(self, problem, want)
        if want != "gradient":
            return prepare_quantity(problem, want, partial(self._together, problem))
        bind = by_torch(problem)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            rows, point = draw or problem.default_draw, detached(parameters)
            value, result = along_basis(
                problem.arrays, point, bind(point, rows), lambda number: self._together(problem, rows, number)
            )
            return Estimate(result, value, self._work(problem, rows, parameters))

        return gradient

    def _together(self, problem: Problem, draw: Draw, number: int) -> int:
        return self.chunk or transformed_together(problem, draw, number)

    def _work(self, problem: Problem, draw: Draw, parameters: Parameters) -> Work:
        share, numbers = share_of_rows(problem, draw), [math.prod(x.shape) for x in parameters.values()]
        chunks = sum(math.ceil(number / self._together(problem, draw, number)) for number in numbers)
        return Work(forward=chunks * share, tangent=size(parameters) * share, declared=True)
