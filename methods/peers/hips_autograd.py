"""HIPS autograd (Maclaurin 2016): reverse mode over a tape that is written in Python while NumPy runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import installed
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count, uncounted


@dataclass(frozen=True)
class HipsAutograd:
    """``autograd.value_and_grad(loss)`` of the dict of parameters.

    NumPy problems are moved to the backend ``autograd``, whose arrays are NumPy's and whose functions
    autograd can trace.
    """

    @property
    def claims(self) -> Claims:
        """Exact; one forward pass and one pullback."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "autograd trace"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            backends=frozenset({"numpy"}),
            devices=frozenset({"cpu"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs NumPy arrays, and a loss that autograd can trace, which is tried."""
        if reason := unsupported(self, problem, want):
            return reason
        if not installed("autograd"):
            return "the package `autograd` is not installed: pip install 'gradmark[peers]'"
        if problem.arrays.backend != "numpy":
            return f"autograd traces NumPy arrays, not those of {problem.arrays.backend}"
        try:
            with uncounted(), np.errstate(all="ignore"):
                _value_and_gradient(problem)(problem.parameters, problem.default_draw)
        except Exception as error:  # whatever autograd, or the loss when given traced arrays, raises
            first = next(iter(str(error).strip().splitlines()), "")
            return f"autograd cannot trace its loss ({type(error).__name__}: {first.rstrip('.')})"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Move the problem; the tape is written anew by every call."""
        check_supported(self, problem, want)
        value_and_gradient = _value_and_gradient(problem)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            with np.errstate(over="ignore"):  # its derivative of tanh is 1 / cosh^2, which is 1 / inf far out
                value, found = value_and_gradient(parameters, draw)
            rows = share_of_rows(problem, draw)
            count(pullback=rows)  # autograd makes it, where no layer can report it
            return Estimate(found, value, Work(forward=rows, pullback=rows, declared=True))

        return gradient


def _value_and_gradient(problem: Problem) -> Callable[[Parameters, Draw], tuple[Any, dict[str, Any]]]:
    from autograd import value_and_grad

    moved = problem.to(backend="autograd")
    names, dtype = tuple(problem.parameters), problem.arrays.dtype_object

    def loss(parameters: Any, draw: Draw) -> Any:
        return moved.loss({name: parameters[name] for name in names}, draw)

    traced = value_and_grad(loss)

    def value_and_gradient(parameters: Parameters, draw: Draw) -> tuple[Any, dict[str, Any]]:
        value, found = traced(dict(parameters), draw)
        # The gradient of a parameter that is one number comes as a number.
        return value, {name: np.asarray(found[name], dtype) for name in names}

    return value_and_gradient
