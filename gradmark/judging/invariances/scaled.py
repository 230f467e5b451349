"""The same problem with its loss multiplied by a constant."""

from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from gradmark.arrays import Array
from gradmark.criterion import Criterion, InPlaceCriterion, RowWise
from gradmark.draw import Draw
from gradmark.function_problem import FunctionProblem
from gradmark.problem import Problem
from gradmark.torch_problem import TorchProblem


@dataclass(frozen=True)
class ScaledCriterion:
    """`factor` times another criterion. `arrays` is a field, so that a problem can move it like others."""

    inner: Any
    factor: float
    arrays: Any = None

    @cached_property
    def _inner(self) -> Any:
        moved = self.arrays is not None and self.arrays is not self.inner.arrays
        return replace(self.inner, arrays=self.arrays) if moved else self.inner

    def value(self, outputs: Array, draw: Draw) -> Array:
        """`factor` times the inner value."""
        return self.factor * self._inner.value(outputs, draw)

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """`factor` times the inner gradient."""
        return self.factor * self._inner.pullback(outputs, draw)

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """`factor` times the inner derivative."""
        return self.factor * self._inner.pushforward(outputs, draw, tangents)


@dataclass(frozen=True)
class ScaledRowWiseCriterion(ScaledCriterion):
    """The same for a criterion that knows each row's loss and what it changes by."""

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """`factor` times the inner ones."""
        return self.factor * self._inner.row_losses(outputs, draw)

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """`factor` times the inner ones."""
        return self.factor * self._inner.row_differences(outputs, draw, changes)

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """`factor` times the inner ones."""
        return self.factor * self._inner.unit_differences(outputs, draw, change)


@dataclass(frozen=True)
class ScaledInPlaceCriterion(ScaledCriterion):
    """The same for a criterion that can write into a buffer, so that a fast path stays the one examined."""

    def value_and_pullback_into(self, outputs: Array, draw: Draw, d_outputs: Array) -> Any:
        """`factor` times the inner value, and times what it writes."""
        value = self._inner.value_and_pullback_into(outputs, draw, d_outputs)
        d_outputs *= self.factor
        return self.factor * value


@dataclass(frozen=True)
class _ScaledBoth(ScaledInPlaceCriterion, ScaledRowWiseCriterion):
    """The same for a criterion that is both."""


def scaled(problem: Problem, factor: float) -> Problem | None:
    """The problem with `factor` times its loss; None where that cannot be had from outside.

    >>> import numpy as np
    >>> from gradmark import from_function
    >>> problem = scaled(from_function(lambda x: np.sum(x**2), np.array([1.0, 2.0])), 4.0)
    >>> float(problem.loss(problem.parameters))
    20.0
    """
    if isinstance(problem, FunctionProblem):
        function, gradient = problem.function, problem.gradient
        return replace(
            problem,
            function=lambda xp, parameters: factor * function(xp, parameters),
            gradient=None if gradient is None else lambda xp, p: _times(factor, gradient(xp, p)),
        )
    if isinstance(problem, TorchProblem):
        criterion = problem.criterion_function
        return replace(problem, criterion_function=lambda outputs, t: factor * criterion(outputs, t))
    if problem.criterion is None or not is_dataclass(problem) or isinstance(problem, type):
        return None
    own = {each.name for each in fields(problem)}
    if "criterion" not in own:
        return None
    unknown = {"closed_form": None} if "closed_form" in own else {}
    other: Problem = replace(problem, criterion=_criterion(problem.criterion, factor), **unknown)
    return other


def _criterion(criterion: Criterion, factor: float) -> ScaledCriterion:
    row_wise, in_place = isinstance(criterion, RowWise), isinstance(criterion, InPlaceCriterion)
    kinds = {
        (True, True): _ScaledBoth,
        (True, False): ScaledRowWiseCriterion,
        (False, True): ScaledInPlaceCriterion,
    }
    kind = kinds.get((row_wise, in_place), ScaledCriterion)
    return kind(criterion, factor, getattr(criterion, "arrays", None))


def _times(factor: float, named: Any) -> dict[str, Any]:
    return {name: factor * array for name, array in named.items()}
