"""Along a direction: the gradient times the direction is the slope of the loss, which is measured.

Random directions through all parameters, and one through each array, so that a small one is not drowned. The
slope is that of extrapolated differences of the loss in wide arithmetic, with their error.

A method that takes steps may step across a kink, where twice the step changes its answer as little as the
step itself: the judge then takes the differences too, in wide arithmetic, and sees what the kinks do to them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradmark.claims import Truncated
from gradmark.judging.comparing.difference_errors import difference_errors
from gradmark.judging.comparing.joint_truncation import joint_truncation, moves_all
from gradmark.judging.comparing.node_truncation import steps_nodes
from gradmark.judging.comparing.truncation import FORMULAS
from gradmark.judging.invariances.binding import Unfit, truncated
from gradmark.judging.invariances.comparison import finding
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.shared import once_at
from gradmark.judging.verdict import Evidence, Finding
from gradmark.measuring.norms import norm, ratio
from gradmark.problem import Problem
from gradmark.reference import NoReference
from gradmark.reference.ladder import Slopes
from gradmark.reference.point import Point, random_direction, widest_point
from gradmark.reference.scale import room
from gradmark.reference.slope import noise_level, slope

NAME = "direction"
_THROUGH_ALL = 4
_MOST_ARRAYS = 16
"""Arrays beyond that many are seen by the directions through all of them only."""
_MISSED = 3.0
"""A fault of three times the tolerance is missed by one direction with a probability of 1/4, by four with
1/200."""
_UNLUCKY = 10.0
"""An error that knows nothing of the direction v is not along it: |e . v| > 10 |e| has a probability below
5e-10, by Hoeffding's inequality for signs times sizes of at most 1.5."""
_SURE = 4.0
"""The error that a ladder of differences states holds for 99 of 100 slopes; of 5000 along directions through
networks and test functions in longdouble, the worst was off by twice that."""
_KINK = 8.0
"""Errors of the slope that the two sides must differ by to be called a kink."""
_STREAM = 22
"""Of the judge's random numbers: directions are drawn from it."""


def examine(subject: Subject) -> Finding:
    """Compare g . v with the slope of the loss along v for each direction v."""
    point = widest_point(subject.problem, subject.site.parameters, subject.site.draw)
    if any(np.any(room(array, point.problem.bounds) <= 0) for array in point.numbers.values()):
        raise Unfit("a parameter lies on the bound of its domain.")
    limits, crossed, seen_before = [], _crossed(subject, point), _slopes(subject.problem, point)
    slopes = [(words, v, seen) for (words, v), seen in zip(_directions(point), seen_before, strict=True)]
    if any(seen.jump[0] > _KINK * seen.error[0] for _, _, seen in slopes):
        # Units at zero may turn on along v and against it, whose jumps cancel: no slope bounds a gradient.
        raise Unfit("the loss is not differentiable at the point.")
    for words, v, seen in slopes:
        expected, error = float(seen.value[0]), float(_SURE * seen.error[0] + seen.jump[0] / 2)
        found = float(sum(np.sum(subject.here[name] * v[name]) for name in v))
        limit = error + _along(subject, crossed, v)
        if not np.isfinite(limit):
            continue
        if not abs(found - expected) <= limit:
            return _accused(subject, words, found, expected, limit)
        limits.append(ratio(_MISSED * limit, subject.size * _per_entry(v)))
    smallest = max(limits[:_THROUGH_ALL], default=np.inf)
    if not smallest < 1:
        raise Unfit("no direction has a slope that could be measured sharply enough.")
    reason = f"the gradient gives the slope of the loss along {len(limits)} directions."
    return finding(NAME, subject, "passed", reason, smallest_detectable=smallest)


def _slopes(problem: Problem, point: Point) -> list[Slopes]:
    """The slope of the loss along each direction, which no method has a part in."""

    def measured() -> list[Slopes]:
        level = noise_level(point)
        return [slope(point, v, level) for _, v in _directions(point)]

    return once_at(problem, point, NAME, measured)


def _directions(point: Point) -> Iterator[tuple[str, dict[str, Any]]]:
    shapes = {name: array.shape for name, array in point.numbers.items()}
    for index in range(_THROUGH_ALL):
        yield "a direction through all parameters", random_direction(shapes, _STREAM, index)
    for index, name in enumerate(list(shapes)[:_MOST_ARRAYS] if len(shapes) > 1 else ()):
        only = random_direction({name: shapes[name]}, _STREAM, _THROUGH_ALL + index)
        yield f"a direction through `{name}`", only


def _crossed(subject: Subject, point: Point) -> Mapping[str, float]:
    """What steps across kinks may do to each array; nothing where there are none, or no steps."""
    claimed = truncated(subject.hearing)
    if claimed is None or subject.step is None or subject.problem.smoothness == "smooth":
        return dict.fromkeys(subject.here, 0.0)
    try:
        reference = reference_at(subject.problem, subject.site, subject.hearing.method.claims.reads)
    except NoReference as error:
        raise Unfit(f"steps may cross kinks, and nothing tells what that does: {error}") from error
    joint = _jointly(subject, point, claimed)
    return {
        name: FORMULAS
        * max(norm(difference_errors(point, name, subject.step, claimed.order, array)), joint.get(name, 0.0))
        for name, array in reference.gradient.items()
    }


def _jointly(subject: Subject, point: Point, claimed: Truncated) -> Mapping[str, float]:
    """The same for moves of all nodes at once, of which some cross more kinks than single steps do."""
    if subject.step is None or not moves_all(claimed) or not steps_nodes(subject.hearing.method.claims):
        return {}
    return {name: norm(found) for name, found in joint_truncation(point, subject.step).items()}


def _along(subject: Subject, crossed: Mapping[str, float], v: dict[str, Any]) -> float:
    """How much of the slope along v rounding, truncation and kinks may be."""
    bounds = {name: subject.slack[name] + subject.truncation[name] + crossed[name] for name in v}
    worst = sum(limit * norm(v[name]) for name, limit in bounds.items())
    return float(min(worst, _UNLUCKY * norm(np.array(list(bounds.values())))))


def _per_entry(v: dict[str, Any]) -> float:
    """The root mean square of a direction's entries: what it makes of a fault that knows nothing of it."""
    return float(np.sqrt(sum(norm(array) ** 2 for array in v.values()) / sum(a.size for a in v.values())))


def _accused(subject: Subject, words: str, found: float, expected: float, limit: float) -> Finding:
    error = ratio(abs(found - expected), abs(expected))
    reason = f"along {words} the gradient says {found:.6g}, the loss itself {expected:.6g} +- {limit:.1e}."
    evidence = Evidence(
        what=f"slope along {words}",
        found=found,
        expected=expected,
        uncertainty=limit,
        error=error,
        point=subject.site.name,
    )
    return finding(NAME, subject, "failed", reason, evidence=evidence)
