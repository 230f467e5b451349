"""The best step of a stencil, and the error left there, from the problem alone: nothing is fitted.

With the stencil's c and w (`methods.finite_difference.stencils`), derivatives D of order p + 1 along each
coordinate and the noise e of a computed loss, the error of a whole gradient g is

    sqrt((c h^p |D|)^2 + P (w e / h)^2) / |g|,   least at   h* = (P w^2 e^2 / (p c^2 |D|^2))^(1 / (2p + 2)).

Truncation adds up coordinate by coordinate and rounding is random, so that their squares add.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.draw import Draw
from gradmark.problem import Problem
from gradmark.reference.point import widest_point
from methods.finite_difference.evaluating.coordinates import coordinate_losses
from methods.finite_difference.stencils.weights import Stencil

_NODES = 16
_RADIUS = 0.125
"""Of the circle around each parameter: tanh is analytic as far as pi/2, and inputs are of size 1 to 3, so
that the rule errs by less than 1e-9."""
_HIGHEST = 7
_SAMPLE = 400
"""Coordinates along which the noise is looked at: its standard deviation is known to 4 %."""
_APART = 0.01


@dataclass(frozen=True)
class Curve:
    """Relative error over the step: truncation `truncation` h^`order`, and rounding `rounding` / h."""

    order: int
    truncation: float
    rounding: float

    def error(self, step: Any) -> Any:
        """The root of the sum of both squares."""
        return np.sqrt((self.truncation * step**self.order) ** 2 + (self.rounding / step) ** 2)

    @property
    def best_step(self) -> float:
        """Where the error is least."""
        ratio = self.rounding**2 / (self.order * self.truncation**2)
        return float(ratio ** (1 / (2 * self.order + 2)))

    @property
    def floor(self) -> float:
        """The least error."""
        return float(self.error(self.best_step))


class Prediction:
    """What a smooth problem of NumPy arrays says of differences of its loss."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @cached_property
    def derivatives(self) -> dict[int, Any]:
        """The derivatives of orders 1 to 7 along each coordinate, by order.

        k!/(2 pi) times the integral of f(x + r e^(it)) e^(-ikt) / r^k over a circle (Cauchy; Lyness and Moler
        1967): the trapezoidal rule errs by r^16, and by rounding over r^k. Half of the circle is enough.
        """
        problem, arrays = self.problem.to(dtype="float64"), self.problem.to(dtype="float64").arrays
        wide, losses_at = arrays.complexified(), coordinate_losses(problem)
        point = wide.cast(problem.parameters)
        draw = Draw(wide.cast(problem.default_draw.arrays), problem.default_draw.seed)
        total: dict[int, Any] = dict.fromkeys(range(1, _HIGHEST + 1), 0.0)
        for node in range(_NODES // 2 + 1):
            turn = np.exp(2j * np.pi * node / _NODES)
            share = (1 if node in (0, _NODES // 2) else 2) / _NODES
            found = np.concatenate([
                np.ravel(losses_at(point, draw, name, x + _RADIUS * turn)) for name, x in point.items()
            ])  # fmt: skip
            for order in total:
                total[order] = total[order] + share * np.real(found * turn**-order)
        return {k: math.factorial(k) / _RADIUS**k * sums for k, sums in total.items()}

    @cached_property
    def noise(self) -> float:
        """The standard deviation of the loss in its own dtype from the same in a wider one.

        Over small moves of single coordinates. What is the same everywhere has no part in a difference.
        """
        own, wide = self.problem, widest_point(self.problem, None, None)
        here, there = coordinate_losses(own), coordinate_losses(wide.problem)
        every = max(1, sum(x.size for x in own.parameters.values()) // _SAMPLE)
        found = []
        for name, x in own.parameters.items():
            entries = np.arange(0, x.size, every)
            size = float(np.sqrt(np.mean(np.square(x)))) or 1.0
            moved = (np.ravel(x)[entries] + _APART * size).astype(x.dtype)
            rounded = here(own.parameters, own.default_draw, name, moved, entries)
            exact = there(wide.parameters, wide.draw, name, moved.astype(np.longdouble), entries)
            found.append(np.asarray(rounded, np.longdouble) - exact)
        return float(np.std(np.concatenate(found)[self._moves(every)]))

    def _moves(self, every: int) -> Any:
        """Which of the sampled coordinates move the loss: a weight of a pixel that is never lit does not."""
        slopes, kept, start = np.abs(self.derivatives[1]), [], 0
        for x in self.problem.parameters.values():
            kept.append(slopes[start : start + x.size][::every])
            start += x.size
        return np.concatenate(kept) > _still(slopes)

    def curve(self, stencil: Stencil) -> Curve:
        """The errors of differences by `stencil`."""
        slopes, order = self.derivatives[1], stencil.order
        size, moving = np.linalg.norm(slopes), int((np.abs(slopes) > _still(slopes)).sum())
        truncation = stencil.truncation * np.linalg.norm(self.derivatives[order + 1]) / size
        return Curve(order, float(truncation), stencil.noise * self.noise * math.sqrt(moving) / float(size))


def _still(slopes: Any) -> float:
    """Slopes up to this are what the integral leaves of zero."""
    return float(1e3 * np.finfo(np.float64).eps * np.max(np.abs(slopes)))
