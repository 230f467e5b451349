"""Where a reference is computed: the problem's own numbers, in the widest arithmetic that carries them."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import epsilon, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Problem, accepts, converted
from gradmark.random import generator
from gradmark.reference.scale import typical_sizes

Numbers = dict[str, Any]
"""Named NumPy arrays."""
_NARROWER = {"longdouble": "float64", "float64": "float32"}


@dataclass(frozen=True)
class Point:
    """A problem, its parameters and a draw, all on one backend and in one dtype."""

    problem: Problem
    parameters: Parameters
    draw: Draw

    @property
    def dtype(self) -> str:
        """The dtype of the parameters and of all computing."""
        return self.problem.arrays.dtype

    @property
    def epsilon(self) -> float:
        """The rounding of `dtype`."""
        return epsilon(self.dtype)

    @property
    def narrower(self) -> str | None:
        """The next dtype below, in which the same computation shows its rounding; None: there is none."""
        return _NARROWER.get(self.dtype)

    @cached_property
    def numbers(self) -> Numbers:
        """The parameters as NumPy arrays, longdouble."""
        return {name: to_numpy(array).astype(np.longdouble) for name, array in self.parameters.items()}

    @cached_property
    def typical_sizes(self) -> dict[str, float]:
        """What steps in each array are taken relative to."""
        return typical_sizes(self.numbers)

    def to(self, dtype: str) -> "Point":
        """The same numbers, rounded once where `dtype` is narrower."""
        return _moved(self.problem.to(dtype=dtype), self.parameters, self.draw)

    def at(self, numbers: Mapping[str, Any]) -> "Point":
        """The same problem at other parameters, given as NumPy arrays."""
        return replace(self, parameters=converted(numbers, self.problem.arrays))

    def first_rows(self, count: int) -> "Point":
        """The same problem on `count` of its rows; the point itself where its loss needs all of them."""
        if count >= self.draw.count:
            return self
        part = replace(self, draw=self.draw.rows(0, count))
        try:
            shape = self.problem.outputs(self.parameters, part.draw).shape
        except (ValueError, RuntimeError, TypeError):
            return self
        return part if shape and shape[0] == count else self

    @cached_property
    def complexified(self) -> "Point | None":
        """The same numbers in complex arrays; None where the loss doesn't carry them."""
        try:
            arrays = self.problem.arrays.complexified()
        except UsageError:
            return None
        with warnings.catch_warnings():
            # NumPy only warns where a loss drops the imaginary part.
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                if not accepts(self.problem, arrays.dtype, self.draw):
                    return None
            except np.exceptions.ComplexWarning:
                return None
        draw = Draw(arrays.cast(self.draw.arrays), self.draw.seed)
        return replace(self, parameters=arrays.cast(self.parameters), draw=draw)

    def loss(self, numbers: Mapping[str, Any]) -> Any:
        """The loss at other parameters, given as NumPy arrays: a longdouble."""
        parameters = converted(numbers, self.problem.arrays)
        with np.errstate(all="ignore"):
            return np.longdouble(to_numpy(self.problem.loss(parameters, self.draw))[()])


def widest_point(problem: Problem, parameters: Parameters | None, draw: Draw | None) -> Point:
    """`parameters` and `draw` (None: the problem's own), already rounded to its dtype, in wider arithmetic.

    Longdouble on NumPy where the whole loss carries it and it is wider than float64 here; else float64 on
    NumPy, else float64 on the problem's own backend; else the problem as it is.
    """
    parameters, draw = parameters or problem.parameters, draw or problem.default_draw
    for backend, dtype in (("numpy", "longdouble"), ("numpy", "float64"), (None, "float64")):
        if dtype == "longdouble" and not longdouble_is_wider():
            continue
        try:
            moved = problem.to(backend=backend, dtype=dtype)
        except UsageError:
            continue
        if accepts(moved, dtype):
            return _moved(moved, parameters, draw)
    return Point(problem, parameters, draw)


def longdouble_is_wider() -> bool:
    """Whether longdouble has more digits than float64 here: not so on Apple silicon and on Windows."""
    return epsilon("longdouble") < epsilon("float64")


def random_direction(shapes: Mapping[str, tuple[int, ...]], *stream: int) -> Numbers:
    """A direction that moves every entry, either way, by 1/2 to 3/2, from the judge's random numbers.

    No two entries move by the same amount, as random signs let them: a kink where two are equal is crossed.
    """
    random = generator(0, "judge", *stream)
    return {
        name: (random.choice([-1.0, 1.0], shape) * random.uniform(0.5, 1.5, shape)).astype(np.longdouble)
        for name, shape in shapes.items()
    }


def _moved(problem: Problem, parameters: Parameters, draw: Draw) -> Point:
    arrays = problem.arrays
    return Point(problem, converted(parameters, arrays), Draw(converted(draw.arrays, arrays), draw.seed))
