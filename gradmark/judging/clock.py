"""The time that judging may take."""

import time


class Clock:
    """Seconds since it was made, and how many are left of a `budget` (None: as many as it takes)."""

    def __init__(self, budget: float | None = None) -> None:
        self.budget, self._start = budget, time.perf_counter()

    def spent(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds that are left; infinite without a budget, never negative."""
        return float("inf") if self.budget is None else max(0.0, self.budget - self.spent())
