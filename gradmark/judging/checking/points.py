"""The points at which a gradient is looked at, besides the one that was given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.space import Space
from gradmark.random import generator
from gradmark.reference.scale import typical_sizes

AT = "as given"
_HALVINGS = 8
"""How often a point is brought nearer before it is given up: to 1/256 of the way."""
_DESCENT = 0.25
"""The first step of descent, of the size of the parameters."""
_NEARBY = 0.1
"""The relative change of the point nearby."""
_SCALES = (2.0**-6, 2.0**2)
"""Factors of the rescaled point's two halves: a ratio of 256, as between a layer's weights and its inputs."""
_ENLARGED = 8.0
"""The factor of the enlarged point: units that were in their linear range saturate."""


@dataclass(frozen=True)
class Candidate:
    """A point, flat and rounded to its dtype, by the name it has in the report."""

    name: str
    x: Any


@dataclass(frozen=True)
class Unusable:
    """A point that could not be used, and why."""

    name: str
    reason: str


def points(
    function: Carried,
    x: Any,
    value: Any,
    slope: Any,
    seed: int,
    bounds: tuple[float, float] | None,
    spare: int = 0,
) -> Iterator[Candidate | Unusable]:
    """After descent, nearby, rescaled and enlarged; then `spare` more nearby ones.

    `slope` is a gradient to descend along, flat, or None for a random direction.
    """
    space = function.objective.space
    yield _descended(function, x, value, slope, seed, bounds)
    moves = [("nearby", _nearby(space, x, seed, 0)), ("rescaled", _rescaled(space, x, seed))]
    moves += [("enlarged", x * _ENLARGED)]
    moves += [(f"nearby ({1 + index})", _nearby(space, x, seed, index)) for index in range(1, 1 + spare)]
    for name, target in moves:
        yield _brought_near(name, function, x, lambda part, target=target: x + part * (target - x), bounds)


def _brought_near(
    name: str, function: Carried, x: Any, way: Callable[[float], Any], bounds: tuple[float, float] | None,
    wanted: Callable[[Any], bool] = lambda value: True,
) -> Candidate | Unusable:  # fmt: skip
    """The farthest point on the way, halved up to 8 times, where the function is finite and what is wanted."""
    reason = "it could not be moved in its dtype"
    for halving in range(_HALVINGS + 1):
        point = function.objective.space.rounded(way(2.0**-halving))
        if not _inside(point, bounds):
            reason = "all points on the way are out of `bounds`"
        elif np.all(point == x):
            break
        elif not np.isfinite(value := function(point)):
            reason = "the function is not finite there, nor nearer"
        elif not wanted(value):
            reason = "the function does not fall along the way"
        else:
            return Candidate(name, point)
    return Unusable(name, reason)


def _descended(
    function: Carried, x: Any, value: Any, slope: Any, seed: int, bounds: tuple[float, float] | None
) -> Candidate | Unusable:
    space = function.objective.space
    along = -slope if slope is not None else _signs(space.size, seed)
    largest = float(np.max(np.abs(along)))
    along = along / largest if largest > 0 and np.isfinite(largest) else _signs(space.size, seed)
    step = _DESCENT * _sizes(space, x)

    def falls(found: Any) -> bool:
        return bool(found < value)

    found = _brought_near("after descent", function, x, lambda part: x + part * step * along, bounds, falls)
    if isinstance(found, Candidate):
        return found
    # Along a wrong gradient, or at a minimum, it does not fall: somewhere else is as good.
    return _brought_near(
        "beside it", function, x, lambda part: x + part * step * _signs(x.size, seed), bounds
    )


def _nearby(space: Space, x: Any, seed: int, index: int) -> Any:
    random = generator(seed, "judge", 44, index)
    where_zero = np.where(x == 0, _sizes(space, x), 0)
    return x * (1 + _NEARBY * random.uniform(-1, 1, x.size)) + _NEARBY * where_zero * random.uniform(
        -1, 1, x.size
    )


def _rescaled(space: Space, x: Any, seed: int) -> Any:
    """Every other array, or half of the entries of a single one, made small and the others large."""
    if len(space.slices) > 1:
        factors = np.concatenate(
            [np.full(part.stop - part.start, _SCALES[k % 2]) for k, part in enumerate(space.slices.values())]
        )
    else:
        factors = np.asarray(_SCALES)[generator(seed, "judge", 45).permutation(np.arange(x.size) % 2)]
    return x * factors


def _sizes(space: Space, x: Any) -> Any:
    parts = {name: x[part] for name, part in space.slices.items() if part.stop > part.start}
    sizes = typical_sizes(parts)
    return np.concatenate([np.full(part.size, sizes[name]) for name, part in parts.items()])


def _signs(size: int, seed: int) -> Any:
    return generator(seed, "judge", 46).choice([-1.0, 1.0], size)


def _inside(x: Any, bounds: tuple[float, float] | None) -> bool:
    return bounds is None or bool(np.all((x >= bounds[0]) & (x <= bounds[1])))
