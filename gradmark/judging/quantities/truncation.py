"""What truncation and rounding do to quantities that are differences: C h^p + noise / h.

The judge takes differences of the claimed order himself, in wide arithmetic and with the longest step that a
method may reasonably take: of the outputs for a jvp, vjp or Jacobian, and of the gradient for an hvp or
Hessian. Their error beside the reference is the truncation. What rounding does to outputs or gradient in the
problem's own dtype, over the shortest step, is the rounding; of a method that reads the loss alone, that of
the loss over the square of the step.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from gradmark.arrays import epsilon, to_numpy
from gradmark.claims import Truncated
from gradmark.judging.comparing.truncation import FORMULAS, FREEDOM, NOISES
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.measuring.norms import norm
from gradmark.problem import converted
from gradmark.quantities import DIRECTED, OF_OUTPUTS
from gradmark.reference import NoReference, Reference
from gradmark.reference.asked import Asked, asked
from gradmark.reference.first_order import assembled
from gradmark.reference.point import Numbers, Point, widest_point
from gradmark.reference.second_order import blocks, flat, gradients_at, split
from gradmark.reference.slope import noise_level
from gradmark.reference.vector_slope import basis

Values = Callable[[Numbers], Any]


@dataclass(frozen=True)
class _Steps:
    """The longest and the shortest step along one direction."""

    longest: float
    shortest: float


def allowed_by_steps(
    question: Question, site: Site, direction: Any, reference: Reference, claim: Truncated
) -> dict[str, float]:
    """For each array, how far steps may move it: a bound on the 2-norm. Raises `NoReference`."""
    point = widest_point(question.hearing.problem, site.parameters, site.draw)
    wanted = asked(point, question.want, direction)
    second = question.want not in OF_OUTPUTS and question.hearing.method.claims.black_box
    along = list(_directions(wanted))
    steps = [_steps(question, point, claim, each, second) for _, _, each in along]
    values = _values(wanted)
    columns = [
        (name, index, _differences(values, point, each, step.longest, claim.order))
        for (name, index, each), step in zip(along, steps, strict=True)
    ]
    worst = dict.fromkeys(reference.gradient, 0.0)
    for side in range(len(columns[0][2])):
        found = _put_together(wanted, [(name, index, sides[side]) for name, index, sides in columns])
        for name, array in found.items():
            worst[name] = max(worst[name], norm(array - reference.gradient[name]))
    noise = _noise(question, site, point, wanted, second)
    shortest = min(step.shortest for step in steps)
    return {
        name: FORMULAS * worst[name] + _rounding(question, reference, point, name, noise, shortest, second)
        for name in worst
    }


def _rounding(
    question: Question,
    reference: Reference,
    point: Point,
    name: str,
    noise: float,
    shortest: float,
    second: bool,
) -> float:
    """Each column has the noise once; the step itself is rounded, and not every method divides by that."""
    array = reference.gradient[name]
    columns = 1.0 if question.want in ("jvp", "hvp") and not second else math.sqrt(array.size)
    largest = max(float(np.max(np.abs(each))) for each in point.numbers.values())
    moved = epsilon(question.hearing.dtype) * largest * norm(array)
    noises = NOISES * noise * columns
    return (noises / shortest if second else noises + moved) / shortest


def _directions(wanted: Asked) -> Iterator[tuple[str, int, Numbers]]:
    if wanted.want in ("jvp", "hvp"):
        yield "", 0, wanted.direction
    else:
        yield from basis(wanted.point)


def _steps(question: Question, point: Point, claim: Truncated, direction: Numbers, second: bool) -> _Steps:
    """In multiples of the direction, which a method may make as long as one first."""
    given = getattr(question.hearing.method, claim.parameter, None)
    sizes = [point.typical_sizes[name] for name in direction]
    long, short = max(1.0, *sizes), min(1.0, *sizes)
    length = norm(flat(direction)) if question.want in DIRECTED else 1.0
    if isinstance(given, Real) and not isinstance(given, bool):
        return _Steps(float(given) * long, float(given) * short / max(1.0, length))
    best = epsilon(question.hearing.dtype) ** (1 / (claim.order + 1 + second))
    return _Steps(FREEDOM * best * long, best / FREEDOM * short / max(1.0, length))


def _values(wanted: Asked) -> Values:
    """Outputs or gradient as a vector."""
    point = wanted.point
    if wanted.want in OF_OUTPUTS:
        return lambda numbers: _outputs(point, numbers)
    gradients = gradients_at(wanted)
    if gradients is None:
        raise NoReference("no independent gradient can be had here, of which to take differences")
    return lambda numbers: gradients(point, flat(numbers)[None])[0]


def _outputs(point: Point, numbers: Numbers) -> Any:
    parameters = converted(numbers, point.problem.arrays)
    return to_numpy(point.problem.outputs(parameters, point.draw)).astype(np.longdouble).ravel()


def _differences(values: Values, point: Point, direction: Numbers, step: float, order: int) -> list[Any]:
    """Differences of this order: both one-sided ones of the first, the central one of an even order."""
    x = flat(point.numbers)
    v = flat({name: direction.get(name, np.zeros_like(array)) for name, array in point.numbers.items()})

    def at(distance: float) -> Any:
        return values(split(point, x + distance * v))

    if order == 1:
        centre = at(0.0)
        return [(at(side * step) - centre) / (side * step) for side in (1, -1)]
    spans = [step * 2.0**level for level in range(order // 2)]
    column = [(at(h) - at(-h)) / (2 * h) for h in spans]
    for power in range(1, order // 2):  # Richardson: each column removes one even power of the step
        column = [fine + (fine - coarse) / (4.0**power - 1) for fine, coarse in pairwise(column)]
    return [column[0]]


def _put_together(wanted: Asked, columns: list[tuple[str, int, Any]]) -> Numbers:
    if wanted.want == "hvp":
        return split(wanted.point, columns[0][2])
    if wanted.want == "hessian":
        return blocks(wanted.point, np.stack([column for _, _, column in columns]))
    shaped = [(name, index, column.reshape(wanted.outputs)) for name, index, column in columns]
    return {"outputs": shaped[0][2]} if wanted.want == "jvp" else assembled(wanted, shaped)


def _noise(question: Question, site: Site, point: Point, wanted: Asked, second: bool) -> float:
    """What rounding in the problem's dtype does to what differences are taken of: a 2-norm."""
    hearing = question.hearing
    own = Point(hearing.problem, site.parameters, site.draw)
    if second:
        return noise_level(own)
    if wanted.want in OF_OUTPUTS:
        outputs = _outputs(own, own.numbers)
        lost = norm(outputs - _outputs(point, point.numbers)) + epsilon(hearing.dtype) * norm(outputs)
        return lost if wanted.want != "vjp" else lost * norm(wanted.direction)
    reference = reference_at(hearing.problem, site, frozenset())
    return math.hypot(*reference.rounding_in(hearing.dtype).values())
