"""Who has what: rows shared out to shards and micro-batches, layers to stages."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate


def spans(rows: int, parts: int) -> tuple[tuple[int, int], ...]:
    """`rows` in `parts` spans (start, stop) that follow each other and differ by one row at most.

    The first ones are the longer; those beyond the number of rows are empty.

    >>> spans(7, 3), spans(1, 2)
    (((0, 3), (3, 5), (5, 7)), ((0, 1), (1, 1)))
    """
    short, longer = divmod(rows, parts)
    stops = list(accumulate(short + (part < longer) for part in range(parts)))
    return tuple(zip([0, *stops], stops, strict=False))


def balanced(costs: Sequence[float], parts: int) -> tuple[tuple[int, int], ...]:
    """Neighbours of `costs` in `parts` spans, none empty, whose dearest costs as little as possible.

    Among these the last span is as short as possible, then the one before it: what costs nothing (an
    activation) goes with what stands before it. Raises `ValueError` where there are fewer costs than parts.

    >>> balanced([4, 0, 2, 0, 2], 2)
    ((0, 2), (2, 5))
    """
    if len(costs) < parts:
        raise ValueError(f"{len(costs)} costs do not fill {parts} parts.")
    sums = [0.0, *accumulate(costs)]

    @cache
    def split(stop: int, left: int) -> tuple[float, tuple[int, ...]]:
        """The dearest of `left` spans that end at `stop`, and their starts."""
        if left == 1:
            return sums[stop], (0,)
        found = []
        for start in range(stop - 1, left - 2, -1):
            dearest, starts = split(start, left - 1)
            found.append((max(dearest, sums[stop] - sums[start]), -start, (*starts, start)))
        dearest, _, starts = min(found)
        return dearest, starts

    starts = split(len(costs), parts)[1]
    return tuple(zip(starts, [*starts[1:], len(costs)], strict=True))
