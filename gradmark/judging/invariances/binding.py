"""A method bound for invariances: a truncated one with a known step, so that its rounding is known too."""

import math
from dataclasses import fields, is_dataclass, replace

import numpy as np

from gradmark import dtypes
from gradmark.claims import Truncated
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.process import watch
from gradmark.measuring.norms import norm
from gradmark.method import Method, Prepared
from gradmark.problem import Problem
from gradmark.reference.point import Point
from gradmark.reference.scale import room
from gradmark.remembering import once_for

_CURVES_LESS = 8.0
"""eps^(1 / (p + 1)) is best where all derivatives are as large as the loss: most losses curve less."""
_INSIDE = 1 / 16
"""Of `gradmark.reference.scale.room`: a quarter of the distance to the nearest bound."""


class Unfit(Exception):
    """Why an invariance says nothing here."""


def truncated(hearing: Hearing) -> Truncated | None:
    """What the method says of its order, if it has one."""
    claimed = hearing.method.claims.exactness
    return claimed if isinstance(claimed, Truncated) else None


def computing_dtype(hearing: Hearing) -> str:
    """The coarser of the problem's dtype and the one in which the method says that it computes."""
    own, stated = hearing.dtype, hearing.method.claims.precision
    return own if stated == "problem" else max(own, stated, key=dtypes.epsilon)


def step_of(hearing: Hearing, order: int) -> float:
    """8 eps^(1 / (p + 1)) times the root mean square of all parameters: where truncation meets rounding.

    One step for all points of a problem, so that nothing is compiled twice.
    """
    problem = hearing.problem
    numbers = list(Point(problem, problem.parameters, problem.default_draw).numbers.values())
    count = sum(array.size for array in numbers)
    size = math.hypot(*(norm(array) for array in numbers)) / math.sqrt(count) or 1.0
    rooms = min(float(np.min(room(array, problem.bounds))) for array in numbers)
    best = dtypes.epsilon(computing_dtype(hearing)) ** (1 / (order + 1))
    return float(min(_CURVES_LESS * best * size, _INSIDE * rooms))


def bound(hearing: Hearing, problem: Problem, step: float | None) -> Prepared:
    """The method bound to `problem`, a truncated one with `step`; once, however often it is asked for.

    Raises `Unfit` where it cannot be rebuilt with a step, and `MethodError` for whatever the method raises.
    """
    key = ("bound", id(problem), step)
    return once_for(hearing, key, lambda: _bound(hearing, problem, step))


def _bound(hearing: Hearing, problem: Problem, step: float | None) -> Prepared:
    method, claimed = hearing.method, truncated(hearing)
    rebuilt: Method = method
    if claimed is not None and (
        not is_dataclass(method) or claimed.parameter not in {each.name for each in fields(method)}
    ):
        raise Unfit(f"the method cannot be rebuilt with another `{claimed.parameter}`.")
    try:
        if claimed is not None:
            rebuilt = replace(method, **{claimed.parameter: step})
        with watch.calling(hearing.where):
            return rebuilt.prepare(problem)
    except Exception as error:  # a method may raise anything
        raise MethodError(error, hearing.where, hearing.dtype) from error
