"""What truncation and the loss's rounding do to differences of a declared order: C h^p + noise / h.

The judge takes differences of that order himself, in wide arithmetic, with the largest step that a method may
reasonably take, and compares them with the reference: that is the truncation, kinks within a step included.
The noise of the loss in the problem's own arithmetic (`gradmark.reference.noise`) over the smallest such step
is the rounding. So a wrong method cannot buy itself tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from gradmark.arrays import epsilon, to_numpy
from gradmark.claims import Truncated
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import Site
from gradmark.population import losses, members_per_chunk
from gradmark.reference import Reference
from gradmark.reference.point import Point, widest_point
from gradmark.reference.slope import noise_level

FREEDOM = 4.0
"""A method that chooses its step may take one so many times longer or shorter than eps^(1/(p+1)) times the
size of its array, or to 1: rules differ in constants and in what they call the size, and
absolute steps, or those relative to max(1, |x|), are common ones."""
FORMULAS = 4.0
"""Formulas of one order have different constants: a one-sided one of second order errs twice as much as the
central one, and wider ones more. The built-in methods stay below 0.25 of what comes of it."""
NOISES = 8.0
"""Standard deviations of the loss's noise, over the step: a formula has several values with their weights."""


@dataclass(frozen=True)
class Allowance:
    """For each entry of each array, how far truncation and rounding may move it."""

    truncation: dict[str, Any]
    rounding: dict[str, Any]


def allowance(hearing: Hearing, site: Site, reference: Reference, claim: Truncated) -> Allowance:
    """The allowance for differences of the order and step that the method claims, at `site`."""
    wide = widest_point(hearing.problem, site.parameters, site.draw)
    longest, shortest = steps(hearing, wide, claim)
    level = noise_level(Point(hearing.problem, site.parameters, site.draw))
    truncation, rounding = {}, {}
    for name, x in wide.numbers.items():
        found = difference_errors(wide, name, longest[name], claim.order, reference.gradient[name])
        truncation[name] = FORMULAS * found
        # The step itself is rounded, and not every method divides by what became of it.
        moved = epsilon(hearing.dtype) * np.abs(x) * np.abs(reference.gradient[name])
        rounding[name] = (NOISES * level + moved) / shortest[name]
    return Allowance(truncation, rounding)


def steps(
    hearing: Hearing, point: Point, claim: Truncated
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """The longest and the shortest step that the method may take in each array."""
    given = getattr(hearing.method, claim.parameter, None)
    sizes = point.typical_sizes
    if isinstance(given, Real) and not isinstance(given, bool):  # absolute, or relative to the numbers
        longest = {name: float(given) * max(1.0, size) for name, size in sizes.items()}
        return longest, {name: float(given) * min(1.0, size) for name, size in sizes.items()}
    best = epsilon(hearing.dtype) ** (1 / (claim.order + 1))
    longest = {name: FREEDOM * best * max(1.0, size) for name, size in sizes.items()}
    return longest, {name: best / FREEDOM * min(1.0, size) for name, size in sizes.items()}


def difference_errors(point: Point, name: str, step: float, order: int, gradient: Any) -> Any:
    """How far differences of `order` with `step` are from `gradient`, for each entry of array `name`."""
    x = point.numbers[name]
    h = _within(np.full(x.shape, np.longdouble(step)), x, point.problem.bounds)
    h = (x + h) - x
    if order == 1:
        centre = point.loss(point.numbers)
        right, left = ((_moved(point, name, sign * h) - centre) / (sign * h) for sign in (1, -1))
        return np.maximum(np.abs(right - gradient), np.abs(left - gradient))
    column = [_central(point, name, h * 2.0**level) for level in range(order // 2)]
    for power in range(1, order // 2):  # Richardson: each column removes one even power of the step
        column = [fine + (fine - coarse) / (4.0**power - 1) for fine, coarse in pairwise(column)]
    return np.abs(column[0] - gradient)


def _central(point: Point, name: str, h: Any) -> Any:
    return (_moved(point, name, h) - _moved(point, name, -h)) / (2 * h)


def _moved(point: Point, name: str, offsets: Any) -> Any:
    """The loss with one entry of array `name` moved by its offset, for each entry."""
    x, arrays = point.numbers[name], point.problem.arrays
    chunk, found = members_per_chunk(point.problem, point.draw, x.size), []
    for start in range(0, x.size, chunk):
        many = min(chunk, x.size - start)
        members = np.tile(x.ravel(), (many, 1))
        entries = np.arange(many)
        members[entries, start + entries] += offsets.ravel()[start : start + many]
        moved = {name: arrays.array(members.reshape(many, *x.shape))}
        with np.errstate(all="ignore"):
            values = losses(point.problem, moved, point.parameters, point.draw)
        found.append(to_numpy(values).astype(np.longdouble))
    return np.concatenate(found).reshape(x.shape)


def _within(h: Any, x: Any, bounds: tuple[float, float] | None) -> Any:
    return h if bounds is None else np.minimum(h, np.minimum(x - bounds[0], bounds[1] - x) / 2)
