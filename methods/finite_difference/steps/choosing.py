"""Where a method asks for its steps: `RULES` by name, and what they cost.

dtype: epsilon and the size of the parameters; it evaluates nothing. The others measure on a few coordinates
of each array (`lines`): noise: ECnoise, then the derivative of order p + 1 by bisection, then the step of
More and Wild; gill: ECnoise and FDCORE; shi: ECnoise and the testing ratio. An array in which a bound leaves
no room to measure, where no value is finite, or whose sampled coordinates the loss does not read, has the
step of the dtype.

noise costs 174 evaluations for each array with two points, 204 with three and 264 with five; the others
search as long as they have to, some 100 to 300. To see what all coordinates err (`stencils.together`) costs
16 more with two or three points, and 24 with five.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.finite_difference.stencils.weights import Stencil, of_derivative
from methods.finite_difference.steps.by_dtype import order_rule, wanted_alone
from methods.finite_difference.steps.curvature import ROUNDS, Curvature, bisected
from methods.finite_difference.steps.gill import bounded_step, searched
from methods.finite_difference.steps.lines import SAMPLED, Lines, lines_of
from methods.finite_difference.steps.more_wild import balanced_step
from methods.finite_difference.steps.noise_level import POINTS, ecnoise, rounding_floor
from methods.finite_difference.steps.shi import bisected_step


@dataclass(frozen=True)
class Found:
    """A step, with the standard deviation of the loss's noise and the size of the derivative behind it.

    Step and derivative are in the `units` of the coordinates, a number or the shape of the array. `relative`
    is the noise over the loss, where that is rounding: larger losses are rounded more.
    """

    step: float
    noise: float
    derivative: float
    units: Any = 1.0
    relative: float = 0.0

    def squared_error(self, stencil: Stencil, h: Any, losses: Any = 0.0) -> Any:
        """The mean square error of differences with steps `h` and `losses` there: noise and truncation."""
        noise = np.maximum(self.noise, self.relative * losses)
        of_truncation = stencil.truncation * self.derivative * (h / self.units) ** stencil.order / self.units
        return (stencil.noise * noise / h) ** 2 + of_truncation**2


Chooser = Callable[[Parameters, Draw, str], tuple[Array, Found | None]]
"""``choose(parameters, draw, name)``: the step of an array, and what was found where that was measured."""


def chooser(problem: Problem, stencil: Stencil, rule: str, step: float | None) -> Chooser:
    """The function that chooses the steps of a problem; a given `step` is taken before any rule."""
    arrays, lines, by_dtype = problem.arrays, lines_of(problem), order_rule(stencil.order)

    def choose(parameters: Parameters, draw: Draw, name: str) -> tuple[Array, Found | None]:
        x = parameters[name]
        if not math.prod(x.shape):
            return x, None
        found = None
        if step is None and rule != "dtype":
            found = measured(lines(parameters, draw, name), stencil, rule)
        if found is None:
            return wanted_alone(arrays, x, by_dtype, step), None
        units = np.reshape(found.units, tuple(x.shape) if np.ndim(found.units) else ())
        h = arrays.array(found.step * np.broadcast_to(units, tuple(x.shape)))
        return h, replace(found, units=units.astype(np.float64))

    return choose


def measured(lines: Lines, stencil: Stencil, rule: str) -> Found | None:
    """What a measuring rule finds along the lines of one array; None where that is nothing."""
    tables = [lines.values(spacing, tuple(range(POINTS))) for spacing in _spacings(lines, stencil)]
    # A loss need not read all of an array: what is measured where it does not is no noise.
    read = np.any(np.concatenate(tables, axis=1) != tables[0][:, :1], axis=1)
    blind = not bool(read.any())
    noise = noise_of(tables if blind else [table[read] for table in tables], lines.digits())
    value = float(np.max(np.abs(tables[0])))
    if rule != "noise" and not math.isfinite(
        noise + value
    ):  # whose work is claimed, and beyond an edge the same
        return None
    found = _SEARCHES[rule](lines if blind else lines.only(read), stencil, noise, value)
    if lines.cramped or not (math.isfinite(noise) and noise > 0):
        return None
    if blind:
        return _unseen(lines, stencil, max(noise, lines.digits() * value / 2))
    if found is None:
        return None
    step, curvature = found
    relative = min(noise / value, lines.digits()) if value else 0.0
    return Found(min(step, lines.reach / stencil.reach), noise, curvature.size, lines.units, relative)


def _unseen(lines: Lines, stencil: Stencil, noise: float) -> Found:
    """The step of the dtype where the loss does not change: it reads nothing, or is too large to show it.

    Its noise is then half of a last digit, by which it may change where a step crosses a rounding's border.
    """
    step = min(order_rule(stencil.order)(lines.epsilon) * lines.scale, lines.reach / stencil.reach)
    return Found(step, noise, 0.0, lines.units)


def _spacings(lines: Lines, stencil: Stencil) -> tuple[float, float]:
    """Where to look for noise: at the step of the dtype, and at a wider spacing.

    A function that computes in fewer digits than it returns does not move at the first. That is at most the
    step of a central difference: at those of higher orders smooth functions are not straight enough.
    """
    near = lines.scale * order_rule(min(stencil.order, 2))(lines.epsilon)
    far = math.sqrt(near * lines.reach / POINTS)
    return lines.spacing(near, POINTS - 1), lines.spacing(far, POINTS - 1)


def noise_of(tables: list[Any], digits: float) -> float:
    """The noise of values at a near and a wider spacing: the first level that is found; at least rounding."""
    levels = [ecnoise(table) for table in tables]
    level = next((each for each in levels if each.verdict == "found"), None)
    level = level or next((each for each in levels if each.verdict == "too far"), levels[-1])
    return max(level.level, rounding_floor(tables[0], digits))


def _by_noise(lines: Lines, stencil: Stencil, noise: float, value: float) -> tuple[float, Curvature] | None:
    curvature = bisected(lines, of_derivative(stencil.order + 1), noise)
    if curvature is None or curvature.size == 0:
        return None
    return balanced_step(stencil, noise, curvature.size), curvature


def _by_gill(lines: Lines, stencil: Stencil, noise: float, value: float) -> tuple[float, Curvature] | None:
    curvature = searched(lines, stencil, noise, value)
    if curvature is None or curvature.size == 0:
        return None
    return bounded_step(stencil, noise, curvature.size), curvature


def _by_shi(lines: Lines, stencil: Stencil, noise: float, value: float) -> tuple[float, Curvature] | None:
    return bisected_step(lines, stencil, noise)


_SEARCHES = {"noise": _by_noise, "gill": _by_gill, "shi": _by_shi}
RULES = ("dtype", *_SEARCHES)
"""The names of the rules."""


def evaluations(problem: Problem, stencil: Stencil) -> int:
    """How many evaluations the rule `noise` makes."""
    each = 2 * POINTS + ROUNDS * len(of_derivative(stencil.order + 1).offsets)
    return each * SAMPLED * sum(1 for x in problem.parameters.values() if math.prod(x.shape))
