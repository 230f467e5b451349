"""Segments of equal length, of which only the first states are kept (Chen et al. 2016, arXiv 1604.06174).

With L steps in k segments the last segment, a longest one, need not be run again. The inputs of all segments
but the first, whose input are the data, and the states of one segment are held. Where all states are of one
size, this makes

    recomputed steps = L - ceil(L/k),    states held = k - 1 + ceil(L/k), about 2 sqrt(L) for k = sqrt(L).
"""

from collections.abc import Sequence
from itertools import pairwise

from methods.reverse.checkpointing.actions import Action, Advance, Restore, Reverse, Store


def boundaries(steps: int, segments: int) -> list[int]:
    """Where each of the segments begins, and where the last one ends; longer ones come last.

    >>> boundaries(8, 3)
    [0, 2, 5, 8]
    """
    return [steps * segment // segments for segment in range(segments + 1)]


def uniform(steps: int, segments: int) -> list[Action]:
    """The schedule: forward through all segments but the last, then back, each being run again.

    >>> uniform(4, 2)  # doctest: +NORMALIZE_WHITESPACE
    [Store(state=0), Advance(start=0, stop=2), Reverse(start=2, stop=4),
     Restore(state=0), Reverse(start=0, stop=2)]
    """
    spans = list(pairwise(boundaries(steps, segments)))
    schedule: list[Action] = []
    for start, stop in spans[:-1]:
        schedule += [Store(start), Advance(start, stop)]
    schedule.append(Reverse(*spans[-1]))
    for start, stop in reversed(spans[:-1]):
        schedule += [Restore(start), Reverse(start, stop)]
    return schedule


def states_held(steps: int, segments: int) -> int:
    """How many states are held at once, the data aside: k - 1 + ceil(L/k).

    >>> states_held(64, 8), states_held(256, 16)
    (15, 31)
    """
    return segments - 1 - (-steps // segments)


def numbers_held(sizes: Sequence[int], segments: int) -> int:
    """The most numbers held at once, where state i + 1, the output of step i, has ``sizes[i]`` of them.

    The last segment holds all its states and those stored before. Any other one holds, when it is run again,
    its inner states beside the stored ones up to its end, which are more than its first run ever holds.

    >>> numbers_held([10] * 64, 8)
    150
    """
    bounds = boundaries(len(sizes), segments)
    most = stored = 0
    for start, stop in pairwise(bounds):
        most = max(most, stored + sum(sizes[start:stop]))
        stored += sizes[stop - 1]
    return most


def best_segments(sizes: Sequence[int]) -> int:
    """The number of segments with which the fewest numbers are held; the smallest, which recomputes least.

    >>> best_segments([10] * 64)
    8
    """
    return min(range(1, len(sizes) + 1), key=lambda segments: (numbers_held(sizes, segments), segments))
