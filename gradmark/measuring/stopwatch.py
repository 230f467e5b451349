"""One function while it is being timed: warm-up, calibration and samples."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

Call = Callable[[], object]
SAMPLE = 2e-3
"""Seconds a sample lasts at least: some ten thousand times what reading the clock costs."""
PREEMPTED = 0.95
"""A sample that had less than this share of its time on a CPU gave way to somebody else's work."""
RETAKES = 3
"""How often a preempted sample is taken again before the best of them is kept."""
SLOW = 1.0
"""Seconds; see `first_call_counts`."""
_KEPT = 0.1
"""Seconds from which the calibrating sample is kept: rounds guard against changes slower than that."""


def first_call_counts(first: float, share: float) -> bool:
    """Whether a first call of `first` seconds is kept as the sample, instead of being thrown away as warm-up.

    So it is where it took more than a second and more than the function's share of the budget: another call
    would cost as much again, and what a cold cache adds is small beside a second. After a shorter one there
    is always another, because a first call may compile.
    """
    return first > max(SLOW, share)


@dataclass
class Stopwatch:
    """Times `call`; `synchronize` waits for the device."""

    call: Call
    synchronize: Call
    first: float = 0.0
    cost: float = 0.0
    """Seconds that the last sample took, all its calls together and the one before them."""
    calls: int = 1
    seconds: list[float] = field(default_factory=list)
    dropped: int = 0
    warm: bool = True
    _retakes: int = RETAKES

    def warm_up(self, share: float) -> None:
        """The first call, apart; then as many calls in a sample as make it long enough."""
        self.first, _ = self._sample()
        if first_call_counts(self.first, share):
            self.warm, self.cost = False, self.first
            self.seconds.append(self.first)
            return
        taken, on_cpu = self._sample()
        if taken >= _KEPT and on_cpu >= PREEMPTED:
            self.seconds.append(taken)
        while taken < SAMPLE:
            self.calls *= min(16, max(2, ceil(SAMPLE / max(taken, 1e-9))))
            taken, _ = self._sample()
        self.cost = taken

    def take(self) -> None:
        """One more sample: the first that was not preempted, else the least preempted of a few.

        A call apart goes before: it finds what another function left in the caches, and has threads of its
        own to wake, which is nobody's cost (it made 1.1 of the ratio of two equal programs of a millisecond).
        Beside a tenth of a second that is nothing.
        """
        settle = self.cost < _KEPT
        attempts = [self._sample(settle)]
        while attempts[-1][1] < PREEMPTED and len(attempts) <= self._retakes:
            attempts.append(self._sample(settle))
        self.dropped += len(attempts) - 1
        if attempts[-1][1] < PREEMPTED:
            self._retakes = 0  # it waits by its nature, for a device or for workers: no retake would help
        taken, _ = max(attempts, key=lambda attempt: attempt[1])
        self.seconds.append(taken / self.calls)
        self.cost = taken * (1 + 1 / self.calls) if settle else taken

    def _sample(self, settle: bool = False) -> tuple[float, float]:
        """The seconds that `calls` calls take, and the share of them this process was on a CPU."""
        call, calls, collecting = self.call, range(self.calls), gc.isenabled()
        gc.disable()
        try:
            if settle:
                call()
            self.synchronize()
            cpu, start = time.process_time(), time.perf_counter()
            for _ in calls:
                call()
            self.synchronize()
            seconds = max(time.perf_counter() - start, 1e-9)
            return seconds, (time.process_time() - cpu) / seconds
        finally:
            if collecting:
                gc.enable()
