"""A method bound to a problem's point, as a function of the seed alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.method import Estimate, Method, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem


class ContractError(Exception):
    """A method did what no method may do."""


@dataclass(frozen=True)
class Bound:
    """A prepared function with its own copies of the parameters and of the data.

    A method that writes into them is found out and spoils nothing for the others.
    """

    function: Prepared
    problem: Problem
    parameters: Parameters
    draw: Draw

    def __call__(self, seed: int) -> Estimate:
        return self.function(self.parameters, seed, draw=self.draw)

    def check_unchanged(self) -> None:
        """Raise `ContractError` if parameters or data are not what they were."""
        _check_same("parameters", self.parameters, self.problem.parameters)
        _check_same("data", self.draw.arrays, self.problem.default_draw.arrays)

    def check_result(self, estimate: Any) -> None:
        """Raise `ContractError` unless the gradient has the names and shapes of the parameters."""
        if not isinstance(estimate, Estimate) or not isinstance(estimate.result, Mapping):
            raise ContractError("it did not return an Estimate with a gradient of named arrays")
        if set(estimate.result) != set(self.parameters):
            raise ContractError(
                f"its gradient has the names {sorted(estimate.result)}, not {sorted(self.parameters)}"
            )
        for name, array in self.parameters.items():
            shape = tuple(getattr(estimate.result[name], "shape", ("none",)))
            if shape != tuple(array.shape):
                raise ContractError(f"its gradient `{name}` has shape {shape}, not {tuple(array.shape)}")


def bind(method: Method, problem: Problem) -> Bound:
    """Prepare `method` for `problem`, at the problem's point and draw."""
    draw = problem.default_draw
    return Bound(
        method.prepare(problem),
        problem,
        _copies(problem, problem.parameters),
        Draw(_copies(problem, draw.arrays), draw.seed),
    )


def _copies(problem: Problem, named: Mapping[str, Array]) -> dict[str, Array]:
    return {name: problem.arrays.xp.asarray(array, copy=True) for name, array in named.items()}


def _check_same(what: str, own: Mapping[str, Array], original: Mapping[str, Array]) -> None:
    if not all(np.array_equal(to_numpy(own[name]), to_numpy(original[name])) for name in original):
        raise ContractError(f"it changed the {what} it was given")
