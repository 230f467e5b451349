"""The time that judging may take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from gradmark.claims import Claims

_SECONDS = 240.0
"""The default budget: twice what the full profile takes of a slow method on a quiet machine. Differences that
measure their steps or extrapolate take two minutes, most methods half of one."""
_COMPILING = 600.0
"""That of a method which compiles for seconds, some sixty times in the full profile."""


class OutOfTime(Exception):
    """The whole budget is spent; raised between two calls of a method."""


def seconds_for(claims: Claims) -> float:
    """The default budget for a method with these claims."""
    return _COMPILING if claims.compiles else _SECONDS


class Clock:
    """Seconds since it was made, and how many are left of a `budget` (None: as many as it takes)."""

    def __init__(self, budget: float | None = None) -> None:
        self.budget, self._start = budget, time.perf_counter()
        self._until = float("inf")

    def spent(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds that are left, inside `lent` of what was lent; infinite without a budget."""
        whole = float("inf") if self.budget is None else self.budget
        return max(0.0, min(whole, self._until) - self.spent())

    @contextmanager
    def lent(self, share: float) -> Iterator[None]:
        """Inside the block only this share of what is left counts as left; what is saved, others have."""
        before = self._until
        self._until = self.spent() + share * self.left()
        try:
            yield
        finally:
            self._until = before

    def check(self) -> None:
        """Raise `OutOfTime` once the whole budget is spent, whatever was lent."""
        if self.budget is not None and self.spent() > self.budget:
            raise OutOfTime(f"the budget of {self.budget:g} s is spent.")
