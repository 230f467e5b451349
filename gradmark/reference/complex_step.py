"""The complex step: df/dx_i = Im f(x + i h e_i) / h, with no difference and so no cancellation.

Lyness and Moler (1967), Squire and Trapp (1998). The truncation h^2 f''' / 6 vanishes for h = epsilon^2. It
is exact where every step of the loss is analytic; what is not (an absolute value, a conjugate) makes it
wrong without a sign, which is why real differences have to confirm it.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Reads
from gradmark.parameters import size
from gradmark.population import losses, members_per_chunk
from gradmark.reference import cost
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding

NAME = "complex step"
READS: frozenset[Reads] = frozenset({"loss"})


def impossible(point: Point, limit: float = cost.LIMIT) -> str | None:
    """It needs complex arithmetic throughout the loss, and one evaluation for each parameter."""
    if reason := cost.too_long(point, size(point.parameters), limit, complex_numbers=True):
        return reason
    if point.complexified is None:
        return f"the loss does not carry complex numbers made of {point.dtype}"
    return None


def estimate(point: Point) -> Computed:
    """The gradient, one coordinate after the other; its uncertainty is rounding."""
    return with_rounding(gradient, point)


def slope(point: Point, direction: Mapping[str, Any]) -> Any:
    """The derivative of the loss along `direction`: a longdouble."""
    wide = point.complexified
    assert wide is not None
    arrays = wide.problem.arrays.complexified()
    step = point.epsilon**2 * min(point.typical_sizes[name] for name in direction)
    moved = {
        name: arrays.array(with_imaginary(point.numbers[name], step * direction[name])) for name in direction
    }
    value = wide.problem.loss({**wide.parameters, **moved}, wide.draw)
    return np.longdouble(np.imag(to_numpy(value))[()]) / step


def gradient(point: Point) -> Numbers:
    """The derivative along each coordinate, by the imaginary part."""
    return {name: _of_array(point, name) for name in point.parameters}


def gradients(point: Point, many: Any) -> Any:
    """The gradients at the rows of a matrix, shape (points, P): other parameters, flat, in longdouble."""
    wide = point.complexified
    assert wide is not None
    arrays, count = wide.problem.arrays.complexified(), many.shape[1]
    sizes = [(name, array.shape, point.typical_sizes[name]) for name, array in point.numbers.items()]
    steps = point.epsilon**2 * np.concatenate([np.full(math.prod(s), unit) for _, s, unit in sizes])
    cuts = np.cumsum([math.prod(shape) for _, shape, _ in sizes])[:-1]
    chunk = max(1, members_per_chunk(point.problem, point.draw, count) // count)
    found = []
    for start in range(0, len(many), chunk):
        rows = many[start : start + chunk, None, :]
        members = np.split(with_imaginary(rows, np.diag(steps)).reshape(-1, count), cuts, axis=1)
        named = {
            name: arrays.array(member.reshape(-1, *shape))
            for (name, shape, _), member in zip(sizes, members, strict=True)
        }
        values = to_numpy(losses(wide.problem, named, wide.parameters, wide.draw))
        found.append(np.imag(values).astype(np.longdouble).reshape(-1, count) / steps)
    return np.concatenate(found)


def _of_array(point: Point, name: str) -> Any:
    wide = point.complexified
    assert wide is not None
    numbers = point.numbers[name]
    step = point.epsilon**2 * point.typical_sizes[name]
    arrays, count = wide.problem.arrays.complexified(), numbers.size
    chunk = members_per_chunk(point.problem, point.draw, count)
    slopes = np.empty(count, np.longdouble)
    for start in range(0, count, chunk):
        stop = min(start + chunk, count)
        basis = step * np.eye(stop - start, count, start, dtype=np.longdouble)
        members = with_imaginary(numbers.reshape(1, -1), basis).reshape(-1, *numbers.shape)
        found = losses(wide.problem, {name: arrays.array(members)}, wide.parameters, wide.draw)
        slopes[start:stop] = np.imag(to_numpy(found)) / step
    return slopes.reshape(numbers.shape)


def with_imaginary(real: Any, imaginary: Any) -> Any:
    """real + i imaginary, as NumPy's widest complex numbers."""
    number = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), np.clongdouble)
    number.real, number.imag = real, imaginary
    return number
