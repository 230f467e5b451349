"""Is a loss linear or quadratic? Then what noise does to it on average is known without a formula."""

import math
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters, ravel
from gradmark.problem import Problem
from gradmark.random import generator
from gradmark.work import uncounted

_DIRECTIONS = 3
_STEPS = np.arange(-2.0, 3.0)
"""Five points along a line, of unit distance: far enough that any bend is seen."""
_ROUNDINGS = 64
"""Roundings that a difference of values may have suffered, beside those of a sum of P terms."""


def polynomial_degree(problem: Problem, parameters: Parameters, draw: Draw | None = None) -> int | None:
    """1 or 2 where the loss is linear or quadratic in its parameters, else None.

    Along random directions the second, or third, differences of the loss vanish to rounding.

    >>> import gradmark
    >>> problem = gradmark.get_problem("quadratic", size=5)
    >>> polynomial_degree(problem, problem.parameters)
    2
    """
    point, unravel = ravel(parameters, problem.arrays.xp)
    random, lines = generator(0, "judge", 31), []
    for _ in range(_DIRECTIONS):
        move = problem.arrays.array(random.standard_normal(point.shape[0]))
        with uncounted(), np.errstate(all="ignore"):
            lines.append([_value(problem, unravel(point + float(t) * move), draw) for t in _STEPS])
    values = np.array(lines)
    rounding = _ROUNDINGS * math.sqrt(point.shape[0]) * problem.arrays.epsilon * np.max(np.abs(values))
    if not np.isfinite(rounding):
        return None
    for degree in (1, 2):
        if np.max(np.abs(np.diff(values, n=degree + 1, axis=1))) <= 2 ** (degree + 1) * rounding:
            return degree
    return None


def _value(problem: Problem, parameters: Any, draw: Draw | None) -> float:
    return float(to_numpy(problem.loss(parameters, draw)))
