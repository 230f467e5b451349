"""Timing functions side by side in one process, so that a slow minute of the machine hits them all alike."""

import statistics as standard
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gradmark.errors import UsageError
from gradmark.measuring.allotment import affordable
from gradmark.measuring.interval import Interval
from gradmark.measuring.statistics import ratio_interval
from gradmark.measuring.stopwatch import Stopwatch

Call = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """What one function took: `seconds` per call in each round, `calls` in each sample.

    `first` is the first call's time, with caches cold and code not yet compiled. `dropped` samples were
    preempted and taken again. `warm` is False where the first call was too slow to be made twice and is the
    only sample that is certain to be there.
    """

    seconds: tuple[float, ...]
    calls: int
    first: float
    dropped: int = 0
    warm: bool = True

    @property
    def rounds(self) -> int:
        """How many rounds were timed. Round i of two functions of one comparison ran side by side."""
        return len(self.seconds)

    @property
    def median(self) -> float:
        """The median over the rounds, seconds per call."""
        return standard.median(self.seconds)

    @property
    def q25(self) -> float:
        """The lower quartile over the rounds, seconds per call."""
        return self._quartiles()[0]

    @property
    def q75(self) -> float:
        """The upper quartile over the rounds, seconds per call."""
        return self._quartiles()[2]

    def _quartiles(self) -> list[float]:
        if self.rounds == 1:
            return [self.median] * 3
        return standard.quantiles(self.seconds, n=4, method="inclusive")


def interleaved(
    functions: Mapping[str, Call],
    *,
    synchronize: Call,
    budget: float,
    most_rounds: int = 30,
) -> dict[str, Timing]:
    """Time each of `functions`, one sample of each in every round, within `budget` seconds for all of them.

    Each is called once apart (see `stopwatch.first_call_counts` for slow ones), then as often in a sample as
    makes it last 2 ms. The order is rotated from round to round, garbage is not collected inside a sample,
    `synchronize` waits for the device, and preempted samples are taken again. Each has at least one sample,
    whatever the budget; a function that no longer fits into its share of it (`allotment.affordable`) leaves,
    and the others go on, for `most_rounds` rounds at most.

    Raises `UsageError` for no functions, a negative budget, or fewer than one round.
    """
    if not functions:
        raise UsageError("`functions` is empty: give at least one function to time.")
    if not budget >= 0 or most_rounds < 1:
        raise UsageError(
            f"`budget={budget}` must be at least 0 seconds and `most_rounds={most_rounds}` at least 1."
        )
    deadline = time.perf_counter() + budget
    watches = {name: Stopwatch(call, synchronize) for name, call in functions.items()}
    for watch in watches.values():
        watch.warm_up(budget / len(watches))
    running = set(watches)
    for done in range(most_rounds):
        if done > 0:
            costs = {name: watches[name].cost for name in running}
            running &= affordable(costs, most_rounds - done, deadline - time.perf_counter())
        for name in _rotated(list(watches), done):
            if name in running and len(watches[name].seconds) == done:
                watches[name].take()
    return {name: _timing(watch) for name, watch in watches.items()}


def time_ratio(timing: Timing, base: Timing) -> Interval:
    """How many times as long `timing` took as `base`: the median ratio of their paired rounds, 95 % interval.

    One round alone says nothing of its spread: the interval is then from 0 to infinity.
    """
    paired = zip(timing.seconds, base.seconds, strict=False)
    return ratio_interval([one / other for one, other in paired])


def _rotated(names: list[str], turn: int) -> list[str]:
    start = turn % len(names)
    return names[start:] + names[:start]


def _timing(watch: Stopwatch) -> Timing:
    return Timing(tuple(watch.seconds), watch.calls, watch.first, watch.dropped, watch.warm)
