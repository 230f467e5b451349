"""Answers beside each other: linear in the direction, transposed to each other, symmetric.

What is allowed follows from what is allowed each answer beside its reference, so that no value is judged
twice as strictly here; where there is no reference, rounding of a sum is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.judging.comparing.bounds import Bound
from gradmark.judging.hearing import Answer
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm
from gradmark.quantities import named_arrays

FACTORS = (0.5, -1.0)
"""Powers of two, so that scaling rounds nothing, and a sum of about the same length."""
_DIGITS = 0.5
"""Where no bound is known, this power of the epsilon: a half of the digits, and gross faults are seen."""


@dataclass(frozen=True)
class Along:
    """An answer along a direction, and the bound on its error where there is one."""

    direction: Any
    answer: Answer
    bound: Bound | None


def linear(question: Question, site: Site, one: Along, other: Along) -> Finding:
    """The answer along a sum of directions is the sum of the answers."""
    combined = _combined(one.direction, other.direction)
    answer, (a, b) = question.call(site, combined), FACTORS
    expected = {
        name: a * one.answer.gradient[name].astype(np.longdouble) + b * other.answer.gradient[name]
        for name in one.answer.gradient
    }
    fault = None
    for name, array in expected.items():
        error = norm(answer.gradient[name] - array)
        # The sum's own error, and those of the two it is compared with.
        allowed = sum(_allowed(question, each, name) for each in (one, other, one, other))
        if not error <= allowed:
            fault = (
                f"the {question.want} is not linear in the direction: along {a:g} u {b:+g} v `{name}` is off "
                f"the sum by {error:.2g}, where {allowed:.2g} is allowed."
            )
    kept = f"along {a:g} u {b:+g} v it is the sum of both."
    return question.verdict_on("linear", fault, kept, answer)


def transposed(forward: Question, jvp: Along, vjp: Along) -> Finding:
    """<w, J v> = <J^T w, v>."""
    w, v = to_numpy(vjp.direction).astype(np.longdouble), _numbers(jvp.direction)
    outputs, back = jvp.answer.gradient["outputs"], vjp.answer.gradient
    left = float(np.sum(w * outputs))
    right = float(sum(np.sum(v[name] * back[name]) for name in v))
    allowed = norm(w) * _allowed(forward, jvp, "outputs") + sum(
        norm(v[name]) * _allowed(forward, vjp, name) for name in v
    )
    fault = (
        f"<w, J v> is {left:.10g} and <J^T w, v> {right:.10g}: they differ by {abs(left - right):.2g}, where "
        f"{allowed:.2g} is allowed."
    )
    holds = abs(left - right) <= allowed
    return forward.verdict_on("transpose", None if holds else fault, "<w, J v> is <J^T w, v>.")


def symmetric(question: Question, found: Along) -> Finding:
    """A Hessian is its own transpose."""
    names, fault = list(question.hearing.problem.parameters), None
    arrays = found.answer.gradient
    for one in names:
        for other in names:
            block, mirror = arrays[f"{one}, {other}"], arrays[f"{other}, {one}"]
            order = len(question.hearing.problem.parameters[one].shape)
            turned = np.moveaxis(mirror, range(mirror.ndim - order, mirror.ndim), range(order))
            error = norm(block - turned)
            allowed = _allowed(question, found, f"{one}, {other}") + _allowed(
                question, found, f"{other}, {one}"
            )
            if not error <= allowed:
                fault = fault or (
                    f"the Hessian is not symmetric: its blocks of `{one}` and `{other}` differ by "
                    f"{error:.2g}, where {allowed:.2g} is allowed."
                )
    return question.verdict_on("symmetric", fault, "it is its own transpose.")


def _allowed(question: Question, along: Along, name: str) -> float:
    if along.bound is not None:
        return along.bound.arrays[name]
    size = norm(np.array([norm(array) for array in along.answer.gradient.values()]))
    return float(question.hearing.problem.arrays.epsilon**_DIGITS * size)


def _combined(one: Any, other: Any) -> Any:
    a, b = FACTORS
    if isinstance(one, Mapping):
        return {name: a * one[name] + b * other[name] for name in one}
    return a * one + b * other


def _numbers(direction: Any) -> dict[str, Any]:
    return {name: to_numpy(a).astype(np.longdouble) for name, a in named_arrays(direction).items()}
