"""The judge's own difference of a given order, beside which a method's order is seen.

A function may hide an order: a quadratic has no third derivative, so that a central difference of it has no
error; where a second derivative jumps, one of second order shows less. What the judge's own difference shows
in the same place is no fault of a method.
"""

from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Claims
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.judging.hearing import Numbers
from gradmark.judging.orders.ladder import Errors, Rung, collected, distances, noise_of
from gradmark.judging.places.sites import Site
from gradmark.parameters import size
from gradmark.population import losses, members_per_chunk
from gradmark.problem import Problem, accepts, converted
from gradmark.reference.point import Point
from gradmark.reference.reference import Reference


def stencil(order: int) -> tuple[Any, Any]:
    """Offsets k and weights w of the first derivative sum of w f(x + k h) / h with an error of h^`order`.

    Symmetric for an even order, from 0 to `order` for an odd one: the weights solve sum of w k^j = [j = 1]
    for all powers j that the number of offsets determines (Fornberg 1988).

    >>> offsets, weights = stencil(2)
    >>> offsets.tolist(), weights.round(12).tolist()
    ([-1.0, 0.0, 1.0], [-0.5, 0.0, 0.5])
    """
    last = order // 2 if order % 2 == 0 else order
    offsets = np.arange(-last if order % 2 == 0 else 0, last + 1, dtype=np.float64)
    powers = np.arange(offsets.size)[:, None]
    return offsets, np.linalg.solve(offsets**powers, (powers[:, 0] == 1).astype(np.float64))


def control(
    problem: Problem, site: Site, reference: Reference, order: int, steps: tuple[float, ...], claims: Claims
) -> Errors:
    """The errors of the judge's difference of `order` at `steps`, in float64 where that is possible."""
    point = _in_float64(problem, site)
    noise, rungs = noise_of(point, claims), []
    for step in steps:
        noises = {name: noise.of(point, reference, name, step) for name in reference.gradient}
        rungs.append(Rung(step, distances(_difference(point, order, step), reference), noises))
    return collected(rungs, reference, len(steps) * (order + 1.0) * size(problem.parameters))


def _in_float64(problem: Problem, site: Site) -> Point:
    here = Point(problem, site.parameters, site.draw)
    for backend in ("numpy", problem.arrays.backend):
        try:
            moved = problem.to(backend=backend, dtype="float64")
        except UsageError:
            continue
        if accepts(moved, "float64"):
            arrays = moved.arrays
            draw = Draw(converted(site.draw.arrays, arrays), site.draw.seed)
            return Point(moved, converted(site.parameters, arrays), draw)
    return here


def _difference(point: Point, order: int, step: float) -> Numbers:
    return {name: _of_array(point, name, order, step) for name in point.parameters}


def _of_array(point: Point, name: str, order: int, step: float) -> Any:
    numbers = point.numbers[name].astype(np.float64)
    chunk = members_per_chunk(point.problem, point.draw, numbers.size)
    offsets, weights = stencil(order)
    found = np.zeros(numbers.size, np.longdouble)
    for start in range(0, numbers.size, chunk):
        entries = np.arange(start, min(start + chunk, numbers.size))
        for offset, weight in zip(offsets, weights, strict=True):
            found[entries] += weight * _values(point, name, entries, offset * step)
    return (found / step).reshape(numbers.shape)


def _values(point: Point, name: str, entries: Any, move: float) -> Any:
    """The loss with each of `entries` of the array `name` moved by itself."""
    numbers = point.numbers[name].astype(np.float64)
    members = np.tile(numbers.ravel(), (entries.size, 1))
    members[np.arange(entries.size), entries] += move
    named = {name: point.problem.arrays.array(members.reshape(entries.size, *numbers.shape))}
    with np.errstate(all="ignore"):
        found = losses(point.problem, named, point.parameters, point.draw)
    return to_numpy(found).astype(np.longdouble)
