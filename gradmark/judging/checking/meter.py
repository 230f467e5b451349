"""Counting evaluations, and stopping between two of them when time is up."""

from gradmark.judging.clock import Clock


class OutOfTime(Exception):
    """The seconds that were given are spent."""


class Meter:
    """Counts what the functions that are checked are called for."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.evaluations, self.gradient_calls = clock, 0, 0

    def evaluation(self) -> None:
        """One evaluation of the function is about to begin; raises `OutOfTime`."""
        self._check()
        self.evaluations += 1

    def gradient_call(self) -> None:
        """One call of the gradient is about to begin; raises `OutOfTime`."""
        self._check()
        self.gradient_calls += 1

    def _check(self) -> None:
        if self.clock.left() <= 0:
            raise OutOfTime
