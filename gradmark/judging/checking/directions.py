"""Along which directions a gradient is compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.checking.space import Space
from gradmark.judging.checking.spot import LARGE
from gradmark.random import generator

THROUGH_ALL = 3
_ARRAYS_ALONE = {False: 24, True: 3}
"""Arrays that get a direction of their own, by whether the point is large; the others are taken in groups."""
_GROUPS = 4
_EVERY_COORDINATE = 64
"""Up to this many parameters the main point is looked at coordinate by coordinate."""
_SINGLE = {False: 4, True: 1}
_TINY = 1e-3
"""Of the root mean square: below it an entry is drowned by the others."""


@dataclass(frozen=True)
class Direction:
    """A direction, what it moves in words, and whether that is every entry."""

    vector: Any
    words: str
    through_all: bool = False


def through_all(space: Space, seed: int, point: int, count: int = THROUGH_ALL) -> list[Direction]:
    """Random directions that move every entry, by 1/2 to 3/2, either way: seldom two by the same amount."""
    everything = np.ones(space.size, bool)
    return [Direction(_random(everything, seed, point, k), "a random direction", True) for k in range(count)]


def restricted(space: Space, gradient: Any, seed: int, point: int, main: bool) -> Iterator[Direction]:
    """Directions through a part of the entries: each array, what is tiny, what is zero, single coordinates.

    `gradient` is the claimed one, flat, or None where there is none; it only chooses which entries move.
    """
    stream, large = 100, space.size >= LARGE
    for words, mask in [*_groups(space, gradient, seed, large, main), *_drowned(gradient)]:
        yield Direction(_random(mask, seed, point, stream), words)
        stream += 1
    for entry in _coordinates(space, gradient, seed, point, main):
        yield single(space, entry)


def single(space: Space, entry: int) -> Direction:
    """One coordinate."""
    vector = np.zeros(space.size, np.longdouble)
    vector[entry] = 1
    return Direction(vector, "one coordinate")


def _random(mask: Any, seed: int, *stream: int) -> Any:
    random = generator(seed, "judge", 41, *stream)
    size = mask.size
    # Eight bits of magnitude: that times a power of two, added to a number, rounds only where it must.
    magnitude = random.integers(128, 385, size) / 256
    return np.where(mask, random.choice([-1.0, 1.0], size) * magnitude, 0.0).astype(np.longdouble)


def _groups(space: Space, gradient: Any, seed: int, large: bool, main: bool) -> list[tuple[str, Any]]:
    names = [name for name, part in space.slices.items() if part.stop > part.start]
    if len(names) < 2:
        return []
    alone = names if len(names) <= _ARRAYS_ALONE[large] else _outstanding(space, gradient, names, large)
    if large and not main:
        alone = alone[-1:]
    found = [(f"a random direction through {name}", _mask(space, [name])) for name in alone]
    rest = [name for name in names if name not in alone]
    if main and rest:
        order = generator(seed, "judge", 42).permutation(len(rest))
        found += [
            ("a random direction through several arrays", _mask(space, [rest[i] for i in part]))
            for part in np.array_split(order, 1 if large else _GROUPS)
            if part.size
        ]
    return found


def _outstanding(space: Space, gradient: Any, names: list[str], large: bool) -> list[str]:
    """The largest arrays and those of the smallest gradient."""
    by_size = sorted(names, key=lambda name: space.slices[name].start - space.slices[name].stop)
    if gradient is None:
        return by_size[: _ARRAYS_ALONE[large]]
    by_gradient = sorted(names, key=lambda name: float(np.max(np.abs(gradient[space.slices[name]]))))
    half = _ARRAYS_ALONE[large] // 2
    return list(dict.fromkeys([*by_size[:half], *by_gradient[: half + 1]]))


def _drowned(gradient: Any) -> list[tuple[str, Any]]:
    if gradient is None or gradient.size < 2:
        return []
    size = np.abs(gradient)
    typical = float(np.sqrt(np.mean(np.square(size)))) or 1.0
    zero = size == 0
    tiny = (size < _TINY * typical) & ~zero
    parts = [("the entries that are claimed to be zero", zero), ("the entries of tiny gradient", tiny)]
    return [
        (f"a random direction through {words}", mask)
        for words, mask in parts
        if mask.any() and not mask.all()
    ]


def _coordinates(space: Space, gradient: Any, seed: int, point: int, main: bool) -> list[int]:
    if main and space.size <= _EVERY_COORDINATE:
        return list(range(space.size)) if space.size > 1 else []
    large = space.size >= LARGE
    if not main and large:
        return []
    drawn = generator(seed, "judge", 43, point).integers(0, space.size, _SINGLE[large]).tolist()
    largest = [] if gradient is None or large else [int(np.argmax(np.abs(gradient)))]
    return list(dict.fromkeys([*largest, *map(int, drawn)])) if space.size > 1 else []


def _mask(space: Space, names: list[str]) -> Any:
    mask = np.zeros(space.size, bool)
    for name in names:
        mask[space.slices[name]] = True
    return mask
