"""How much of a gradient is rounding: measured, by computing it again with half the digits.

Rounding errors are proportional to the epsilon of the arithmetic. The difference between one computation in
two precisions is therefore the narrower one's error, and that times the ratio of the epsilons the wider
one's, cancellation and the number of additions included, whatever the formula (in the spirit of CESTAC;
Vignes 1993).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradmark.arrays import epsilon
from gradmark.measuring.norms import norm
from gradmark.parameters import size
from gradmark.random import generator
from gradmark.reference.point import Numbers, Point

Compute = Callable[[Point], Numbers]
_SAFETY = 16.0
"""Wide products are summed term by term, narrow ones by blocked kernels that err less; and luck."""
_UNMEASURED = 1024.0
"""Epsilons assumed where no narrower arithmetic can be compared with."""
_FEW = 256
"""With fewer parameters than this a small difference may be luck, and nearby points are measured too."""
_NEARBY = 4
_NEAR = 2.0**-10


@dataclass(frozen=True)
class Computed:
    """A gradient computed in `dtype` and, for each of its arrays, a bound on the 2-norm of its error."""

    gradient: Numbers
    uncertainty: dict[str, float]
    dtype: str


def with_rounding(compute: Compute, point: Point, nearby: bool = True) -> Computed:
    """The gradient that `compute` gives at `point`, with its measured rounding.

    `nearby`: whether few parameters are reason enough to measure it at other points too.
    """
    gradient = compute(point)
    if point.narrower is None:
        assumed = {name: _UNMEASURED * point.epsilon * norm(array) for name, array in gradient.items()}
        return Computed(gradient, assumed, point.dtype)
    lost = _lost(compute, point, gradient)
    if nearby and size(point.parameters) < _FEW:
        for other in _nearby(point):
            found = _lost(compute, other, None)
            lost = {name: max(lost[name], found[name]) for name in lost}
    return Computed(gradient, _bounds(point, gradient, lost), point.dtype)


def _lost(compute: Compute, point: Point, known: Numbers | None) -> dict[str, float]:
    """The error of `compute` in the narrower dtype, at the point's numbers rounded to it."""
    assert point.narrower is not None
    below = point.to(point.narrower)
    same = below.to(point.dtype)
    if known is None or not _equal(same.numbers, point.numbers):
        known = compute(same)
    rough = compute(below)
    return {name: norm(rough[name] - known[name]) for name in known}


def _bounds(point: Point, gradient: Numbers, lost: dict[str, float]) -> dict[str, float]:
    """An array of few numbers may have been lucky: none is taken to be better than the arrays' median."""
    sizes = {name: norm(array) for name, array in gradient.items()}
    shares = [lost[name] / sizes[name] for name in sizes if sizes[name] > 0]
    typical = max(float(np.median(shares)) if shares else 0.0, epsilon(str(point.narrower)) / 2)
    scale = _SAFETY * point.epsilon / epsilon(str(point.narrower))
    return {name: scale * max(lost[name], typical * sizes[name]) for name in gradient}


def _nearby(point: Point) -> list[Point]:
    found = []
    for index in range(_NEARBY):
        random = generator(0, "judge", 1, index)
        moved = {name: a * (1 + _NEAR * random.uniform(-1, 1, a.shape)) for name, a in point.numbers.items()}
        found.append(point.at(moved))
    return found


def _equal(one: Numbers, other: Numbers) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)
