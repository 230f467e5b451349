"""Differences of a loss for every entry of an array, as the judge takes them himself."""

from itertools import pairwise
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.population import losses, members_per_chunk
from gradmark.reference.point import Point


def difference_errors(point: Point, name: str, step: float, order: int, gradient: Any) -> Any:
    """How far differences of `order` with `step` are from `gradient`, for each entry of array `name`."""
    found = slopes(point, name, step, order)
    return np.maximum.reduce([np.abs(each - gradient) for each in found])


def slopes(point: Point, name: str, step: float, order: int) -> list[Any]:
    """Differences of `order` with `step` for each entry of array `name`; for the first, to both sides."""
    x = point.numbers[name]
    h = _within(np.full(x.shape, np.longdouble(step)), x, point.problem.bounds)
    h = (x + h) - x
    if order == 1:
        centre = point.loss(point.numbers)
        return [(_moved(point, name, sign * h) - centre) / (sign * h) for sign in (1, -1)]
    column = [_central(point, name, h * 2.0**level) for level in range(order // 2)]
    for power in range(1, order // 2):  # Richardson: each column removes one even power of the step
        column = [fine + (fine - coarse) / (4.0**power - 1) for fine, coarse in pairwise(column)]
    return [column[0]]


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
