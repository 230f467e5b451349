"""A method's errors over a ladder of steps, and how much of each is noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradmark import dtypes
from gradmark.claims import Claims
from gradmark.judging.hearing import Hearing, MethodError, Numbers
from gradmark.judging.places.sites import Site
from gradmark.judging.process import watch
from gradmark.measuring.norms import norm
from gradmark.method import Prepared
from gradmark.reference.point import Point
from gradmark.reference.reference import Reference
from gradmark.reference.scale import room
from gradmark.reference.slope import noise_level

TOTAL = ""
"""The name under which all arrays together stand: no parameter has it."""
_COARSEST = 4.0
"""Of the parameters' root mean square. Float32 has room for an order only among coarse steps, if at all."""
_FINEST = 0.75
"""The power of epsilon at which the ladder ends: half of the digits of a first-order method's best step are
then lost to rounding, so that its noise is seen; no higher order needs finer ones."""
_DROWNED = 3.0
"""Where an error is below this many times its noise for `_ENOUGH` steps, finer ones show nothing more."""
_ENOUGH = 3


@dataclass(frozen=True)
class Rung:
    """The 2-norms of the errors at one step, and of what noise may have done to them, by array."""

    step: float
    errors: Mapping[str, float]
    noises: Mapping[str, float]


@dataclass(frozen=True)
class Errors:
    """Relative 2-norms of the errors and their noise at `steps`, coarse to fine, by array; `TOTAL` is all.

    `evaluations` and `seconds` are what the calls took.
    """

    steps: tuple[float, ...]
    errors: Mapping[str, tuple[float, ...]]
    noises: Mapping[str, tuple[float, ...]]
    evaluations: float = 0.0
    seconds: float = 0.0

    def least(self) -> tuple[float, float]:
        """The step at which the whole error is least, and that error: the bottom of the V."""
        whole = np.nan_to_num(np.asarray(self.errors[TOTAL]), nan=np.inf)
        best = int(np.argmin(whole))
        return self.steps[best], float(whole[best])


@dataclass(frozen=True)
class Noise:
    """What rounding does to a difference with step h: `level` of the loss, and the rounding of x + h."""

    level: float
    unit: float

    def of(self, point: Point, reference: Reference, name: str, step: float) -> float:
        """A bound on the 2-norm of what rounding does to one array, the reference's own error included."""
        numbers, size = point.numbers[name], norm(reference.gradient[name])
        of_values = self.level * math.sqrt(numbers.size)
        of_moves = self.unit * float(np.max(np.abs(numbers), initial=0)) * size
        return (of_values + of_moves) / step + reference.uncertainty[name]


def noise_of(point: Point, claims: Claims) -> Noise:
    """The noise of the loss at a point, in the dtype in which the method says that it computes."""
    unit = point.epsilon
    if claims.precision != "problem":
        unit = max(unit, dtypes.epsilon(claims.precision))
    return Noise(noise_level(point) * unit / point.epsilon, unit)


def steps_at(point: Point) -> list[float]:
    """Steps from four times the parameters' root mean square down, each half of the one before.

    In a bounded domain they start at a quarter of the distance to the nearest bound, so that two steps of a
    wide difference stay inside.
    """
    count = sum(array.size for array in point.numbers.values())
    size = math.hypot(*(norm(array) for array in point.numbers.values())) / math.sqrt(count) or 1.0
    rooms = (float(np.min(room(array, point.problem.bounds))) for array in point.numbers.values())
    first = min(_COARSEST * size, min(rooms) / 16)
    return [first * 0.5**k for k in range(1 + int(-_FINEST * math.log2(point.epsilon)))]


def climb(hearing: Hearing, site: Site, reference: Reference, parameter: str) -> Errors:
    """Call the method, rebuilt with each step as its hyper-parameter `parameter`, and take its errors.

    A step that the method refuses, or at which its gradient is not finite, has the error NaN.
    """
    point = Point(hearing.problem, site.parameters, site.draw)
    noise = noise_of(point, hearing.method.claims)
    rungs: list[Rung] = []
    evaluations, seconds, last, drowned = 0.0, 0.0, 0.0, 0
    for step in steps_at(point):
        if last > hearing.clock.left():
            break
        noises = {name: noise.of(point, reference, name, step) for name in reference.gradient}
        try:
            prepared = _rebuilt(hearing, parameter, step)
            answer = hearing.call(site.parameters, hearing.seed, site.draw, prepared=prepared)
        except MethodError as error:
            if not error.refusal:
                raise
            rungs.append(Rung(step, dict.fromkeys(noises, math.nan), noises))
            continue
        errors = distances(answer.gradient, reference)
        rungs.append(Rung(step, errors, noises))
        last = answer.seconds
        evaluations, seconds = evaluations + answer.work.passes, seconds + last
        lost = math.hypot(*errors.values()) < _DROWNED * math.hypot(*noises.values())
        drowned = drowned + 1 if lost else 0
        if drowned == _ENOUGH:
            break
    return collected(rungs, reference, evaluations, seconds)


def _rebuilt(hearing: Hearing, parameter: str, step: float) -> Prepared:
    try:
        method = replace(hearing.method, **{parameter: step})  # type: ignore[type-var]
        with watch.calling(hearing.where):
            return method.prepare(hearing.problem)
    except Exception as error:  # a method may raise anything
        raise MethodError(error, hearing.where, hearing.dtype) from error


def distances(gradient: Numbers, reference: Reference) -> dict[str, float]:
    """The 2-norm of each array's error; NaN where it is not finite."""
    with np.errstate(all="ignore"):
        found = {
            name: norm(np.asarray(gradient[name], np.longdouble) - array)
            for name, array in reference.gradient.items()
        }
    return {name: each if math.isfinite(each) else math.nan for name, each in found.items()}


def collected(
    rungs: list[Rung], reference: Reference, evaluations: float = 0.0, seconds: float = 0.0
) -> Errors:
    """Steps with errors and noise as relative errors, those of all arrays together among them.

    What the finest steps show bounds the noise too: e h is constant where rounding rules, and smaller than
    that nowhere else.
    """
    sizes = {name: norm(array) for name, array in reference.gradient.items()}
    steps = np.array([rung.step for rung in rungs])
    errors = {name: np.array([rung.errors[name] for rung in rungs]) for name in sizes}
    noises = {name: np.array([rung.noises[name] for rung in rungs]) for name in sizes}
    for table in (errors, noises):
        table[TOTAL] = np.sqrt(sum(np.square(column) for column in table.values()))
    sizes[TOTAL] = math.hypot(*sizes.values())
    relative, known = {}, {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, column in errors.items():
            seen = np.nan_to_num(column[-_ENOUGH:] * steps[-_ENOUGH:]).max(initial=0.0) / steps
            relative[name] = tuple((column / sizes[name]).tolist())
            known[name] = tuple((np.maximum(noises[name], seen) / sizes[name]).tolist())
    return Errors(tuple(steps.tolist()), relative, known, evaluations, seconds)
