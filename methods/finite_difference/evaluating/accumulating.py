"""Losses of a narrow network added up in float64: outputs in its own dtype, its criterion in a wider one.

A difference of two losses is noise of two kinds: that of the outputs, which is averaged over rows and units,
and that of the loss itself, a number of some size rounded to the dtype. With a criterion in float64 only the
first is left. Nothing else changes: parameters, inputs and layers keep their dtype, and so does the gradient.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.criterion import Criterion
from gradmark.draw import Draw
from gradmark.errors import UsageError, shown
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import count

WIDE = "float64"
CHOICES = ("problem", WIDE)
"""In which dtype the loss is added up: the problem's own, or float64."""


def check_accumulate(owner: str, accumulate: Any) -> None:
    """Raise `UsageError` unless `accumulate` is one of `CHOICES`."""
    if not isinstance(accumulate, str) or accumulate not in CHOICES:
        raise UsageError(f"{owner}: `accumulate={shown(accumulate)}` must be one of {', '.join(CHOICES)}.")


def reason_against(problem: Problem, accumulate: str) -> str | None:
    """Why the loss cannot be added up so, or None."""
    if accumulate == "problem" or problem.arrays.dtype == WIDE:
        return None
    if problem.criterion is None:
        return (
            "its loss has no criterion apart from its outputs, which accumulate=float64 evaluates in float64"
        )
    if problem.arrays.dtype == "longdouble":
        return "its loss is added up in longdouble, which accumulate=float64 would narrow"
    try:
        problem.to(dtype=WIDE)
    except UsageError as error:
        return str(error).rstrip(".")
    return None


def accumulated(problem: Problem, accumulate: str) -> Any:
    """The problem with its loss added up in `accumulate`; itself where that is its own dtype."""
    if accumulate == "problem" or problem.arrays.dtype == WIDE:
        return problem
    wide = problem.to(dtype=WIDE)
    assert wide.criterion is not None
    return Accumulated(problem, wide.arrays, wide.criterion)


@dataclass(frozen=True)
class Accumulated:
    """A problem whose loss is in the dtype of `wide`; all else is that of `problem`."""

    problem: Problem
    wide: Arrays
    criterion: Criterion

    def __getattr__(self, name: str) -> Any:
        """Bounds, layers, arrays and what else belongs to the problem."""
        return getattr(object.__getattribute__(self, "problem"), name)

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The criterion in float64 of the outputs in the problem's dtype."""
        draw = draw or self.problem.default_draw
        outputs = self.wide.xp.astype(self.problem.outputs(parameters, draw), self.wide.dtype_object)
        value = self.criterion.value(outputs, Draw(self.wide.cast(draw.arrays), draw.seed))
        count(forward=(value.shape[0] if value.ndim else 1) * draw.count / self.problem.default_draw.count)
        return value


def narrowed(arrays: Arrays, accumulate: str, number: Array) -> Array:
    """A wide number in the dtype of the problem again."""
    return number if accumulate == "problem" else arrays.xp.astype(number, arrays.dtype_object)
