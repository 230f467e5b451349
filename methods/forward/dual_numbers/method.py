"""Forward mode by dual numbers: the loss runs on arrays that carry their tangents (Wengert 1964).

Nothing of the problem is needed but its loss, written with functions of NumPy. K basis directions of one
array go together (Revels, Lubin and Papamarkou 2016), so that a gradient takes P tangent passes and a
forward pass for each chunk of them.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradmark.arguments import check_size
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.errors import in_one_line
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import size
from gradmark.problem import Problem
from gradmark.work import Work, uncounted
from methods.answering import answering
from methods.forward.dual_numbers.quantities import answer_of, tried
from methods.forward.slopes import transformed_together


@dataclass(frozen=True)
class DualNumbers:
    """Forward mode by dual numbers, for any function of NumPy arrays; see `rules` for what has a derivative.

    `chunk` directions of one parameter array go together; None: see `transformed_together`.
    """

    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.chunk is not None:
            check_size("dual_numbers", "chunk", self.chunk)

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes P tangent passes, and a forward pass for each chunk of them.

        The layers' pullbacks are read for products with the Hessian alone.
        """
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback", "dual trace"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=self._work,
            backends=frozenset({"numpy"}),
            devices=frozenset({"cpu"}),
            wants=frozenset({"gradient", "jvp", "jacobian", "hvp", "hessian"}),
            nests=True,
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs NumPy arrays, and a rule for every function on the way, which is tried."""
        if reason := unsupported(self, problem, want):
            return reason
        if problem.arrays.backend != "numpy":
            return f"dual numbers are NumPy arrays, not those of {problem.arrays.backend}"
        try:
            with uncounted(), np.errstate(all="ignore"):
                tried(problem, want)
        except Exception as error:  # whatever the loss raises when it is given dual arrays
            return f"its loss does not run on dual numbers ({in_one_line(error).rstrip('.')})"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing to prepare: every call runs the loss anew for each chunk."""
        check_supported(self, problem, want)
        return answering(problem, want, answer_of(problem, want, partial(self._together, problem)))

    def _together(self, problem: Problem, draw: Draw, number: int) -> int:
        return self.chunk or transformed_together(problem, draw, number)

    def _work(self, problem: Problem) -> Work:
        numbers = [math.prod(x.shape) for x in problem.parameters.values()]
        chunks = sum(
            math.ceil(number / self._together(problem, problem.default_draw, number)) for number in numbers
        )
        return Work(forward=chunks, tangent=size(problem.parameters))
