"""Where each value lies in one flat buffer, given when it is needed.

What is kept for good, the gradient, fills the buffer from its beginning, in the order in which it is written.
All else lies at its end. Seen backwards in time the gradient shrinks; so the others are placed in that
direction, each as near to the end as there is room: the later they are needed, the more of the buffer belongs
to the gradient then, and the less deep they may reach into it. Where all of them are of one size, n at once
never reach deeper than n sizes, so that the buffer is as small as any can be.
"""

from bisect import bisect, insort
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Value(NamedTuple):
    """So many numbers, needed from the call `birth` to the call `death`; None: for good."""

    size: int
    birth: int
    death: int | None


@dataclass(frozen=True)
class Arena(Generic[K]):
    """A buffer of so many numbers, and where in it each value begins."""

    numbers: int
    offsets: dict[K, int]


def arena(values: Mapping[K, Value]) -> Arena[K]:
    """A place for each value where nothing lies that is needed at the same time.

    The buffer has as many numbers as the deepest place needs beside what is kept by then.
    """
    kept = sorted((key for key in values if values[key].death is None), key=lambda key: values[key].birth)
    births = [values[key].birth for key in kept]
    ends = [0, *accumulate(values[key].size for key in kept)]
    numbers, depths = ends[-1], _depths(values)
    for depth, death in depths.values():
        numbers = max(numbers, depth + ends[bisect(births, death)])
    offsets = dict(zip(kept, ends, strict=False))
    return Arena(numbers, offsets | {key: numbers - depth for key, (depth, _) in depths.items()})


def most_at_once(values: Mapping[K, Value]) -> int:
    """The most numbers that are needed at one time: no buffer can be smaller."""
    changes: dict[int, int] = {}
    for value in values.values():
        changes[value.birth] = changes.get(value.birth, 0) + value.size
        if value.death is not None:
            changes[value.death + 1] = changes.get(value.death + 1, 0) - value.size
    return max(accumulate(changes[when] for when in sorted(changes)))


def _depths(values: Mapping[K, Value]) -> dict[K, tuple[int, int]]:
    """How far from the end of the buffer each value begins that is not for good, and when it is needed last.

    They are placed from the last one needed to the first, each where there is room nearest to the end.
    """
    depths: dict[K, tuple[int, int]] = {}
    busy: list[tuple[int, int, int]] = []
    last = [(value.death, key) for key, value in values.items() if value.death is not None]
    for death, key in sorted(last, key=itemgetter(0), reverse=True):
        size, birth, _ = values[key]
        busy = [each for each in busy if each[2] <= death]
        free = 0
        for start, stop, _ in busy:
            if start - free >= size:
                break
            free = stop
        insort(busy, (free, free + size, birth))
        depths[key] = free + size, death
    return depths
