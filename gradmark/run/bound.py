"""A method bound to a problem's point, as a function of the seed alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.claims import Want
from gradmark.draw import Draw
from gradmark.method import Estimate, Method, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.quantities import named_arrays, shapes_of
from gradmark.whole import prepared_whole


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
    want: Want = "gradient"
    direction: Any = None
    """A copy of `asked`, which others are measured along too."""
    asked: Any = None

    def __call__(self, seed: int) -> Estimate:
        if self.direction is None:
            return self.function(self.parameters, seed, draw=self.draw)
        return self.function(self.parameters, seed, draw=self.draw, direction=self.direction)

    def check_unchanged(self) -> None:
        """Raise `ContractError` if parameters, data or direction are not what they were."""
        _check_same("parameters", self.parameters, self.problem.parameters)
        _check_same("data", self.draw.arrays, self.problem.default_draw.arrays)
        if self.asked is not None:
            _check_same("direction", named_arrays(self.direction), named_arrays(self.asked))

    def check_result(self, estimate: Any) -> None:
        """Raise `ContractError` unless the result has the names and shapes of what is asked for."""
        named = self.want == "jvp" or isinstance(getattr(estimate, "result", None), Mapping)
        if not isinstance(estimate, Estimate) or not named:
            raise ContractError(f"it did not return an Estimate with a {self.want} of named arrays")
        found, expected = named_arrays(estimate.result), self._shapes()
        if set(found) != set(expected):
            raise ContractError(f"its {self.want} has the names {sorted(found)}, not {sorted(expected)}")
        for name, wanted in expected.items():
            shape = tuple(getattr(found[name], "shape", ("none",)))
            if shape != wanted:
                raise ContractError(f"its {self.want} `{name}` has shape {shape}, not {wanted}")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        of_outputs = self.want in ("jvp", "jacobian")
        outputs = self.problem.outputs(self.parameters, self.draw).shape if of_outputs else ()
        return shapes_of(self.problem, self.want, tuple(outputs))


def bind(method: Method, problem: Problem, want: Want = "gradient", direction: Any = None) -> Bound:
    """Prepare `method` for `problem`, at the problem's point and draw."""
    draw = problem.default_draw
    return Bound(
        prepared(method, problem, want),
        problem,
        _copies(problem, problem.parameters),
        Draw(_copies(problem, draw.arrays), draw.seed),
        want,
        _copy(problem, direction),
        direction,
    )


def prepared(method: Method, problem: Problem, want: Want) -> Prepared:
    """The method's own function, whose call is a whole estimate."""
    return prepared_whole(method, problem, want)


def _copies(problem: Problem, named: Mapping[str, Array]) -> dict[str, Array]:
    return {name: problem.arrays.xp.asarray(array, copy=True) for name, array in named.items()}


def _copy(problem: Problem, direction: Any) -> Any:
    if direction is None or isinstance(direction, Mapping):
        return direction and _copies(problem, direction)
    return problem.arrays.xp.asarray(direction, copy=True)


def _check_same(what: str, own: Mapping[str, Array], original: Mapping[str, Array]) -> None:
    if not all(np.array_equal(to_numpy(own[name]), to_numpy(original[name])) for name in original):
        raise ContractError(f"it changed the {what} it was given")
