"""What a reference beside the gradient is asked for: a quantity at a point, along a direction."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Want
from gradmark.parameters import size
from gradmark.quantities import check_cotangent, check_form, shapes_of
from gradmark.reference.point import Numbers, Point

_LARGEST = 4_000_000
"""Numbers of a Jacobian or Hessian: 64 MB in longdouble, and several are held."""


@dataclass(frozen=True)
class Asked:
    """A quantity of `gradmark.quantities` at `point`; `direction` in longdouble, an array or named ones."""

    point: Point
    want: Want
    direction: Any = None

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The shape of the outputs."""
        return tuple(self.point.problem.outputs(self.point.parameters, self.point.draw).shape)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of the quantity."""
        return shapes_of(self.point.problem, self.want, self.outputs)

    @property
    def parameters(self) -> int:
        """How many parameters there are."""
        return size(self.point.parameters)

    def at(self, point: Point) -> "Asked":
        """The same question at another point."""
        return replace(self, point=point)

    def too_large(self) -> str | None:
        """Why it has too many numbers; None where it has not."""
        numbers = sum(math.prod(shape) for shape in self.shapes.values())
        if numbers <= _LARGEST:
            return None
        return f"a {self.want} of {numbers} numbers is too large for a reference, which holds {_LARGEST}"


def asked(point: Point, want: Want, direction: Any) -> Asked:
    """The question; `UsageError` for a direction that has not the form that `want` asks for."""
    given = check_form(point.problem, want, direction)
    if given is None:
        return Asked(point, want)
    if want == "vjp":
        question = Asked(point, want, to_numpy(given).astype(np.longdouble))
        check_cotangent(np.empty(question.outputs), question.direction)
        return question
    wide: Numbers = {name: to_numpy(array).astype(np.longdouble) for name, array in given.items()}
    return Asked(point, want, wide)
