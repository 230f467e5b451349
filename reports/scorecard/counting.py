"""Functions that count their calls, and end a checker that takes too long."""

import time
from collections.abc import Callable
from typing import Any

MOST_EVALUATIONS = 5_000
MOST_SECONDS = 20.0
"""What a checker may take for one case before it counts as too slow.

The full Jacobian of two thousand parameters by central differences takes four thousand evaluations and a
second; that of 1e5 would take minutes. The count decides, the same everywhere; the time ends what hangs.
"""


class TooSlow(Exception):
    """A checker took more than a case may."""


class Counted:
    """`function`, counted; raises `TooSlow` beyond the limits (None: as many as it takes)."""

    def __init__(
        self, function: Callable[[Any], Any], evaluations: int | None = None, seconds: float | None = None
    ) -> None:
        self.calls, self.exceeded = 0, False
        self._function, self._evaluations, self._seconds = function, evaluations, seconds
        self._start = time.perf_counter()

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        many = self._evaluations is not None and self.calls > self._evaluations
        if many or (self._seconds is not None and time.perf_counter() - self._start > self._seconds):
            self.exceeded = True
            raise TooSlow(f"{self.calls} evaluations, {time.perf_counter() - self._start:.1f} s")
        return self._function(x)
