"""A machine whose clock moves only when work is done on it, so that timings are known exactly."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from gradmark.measuring import stopwatch
from gradmark.measuring import time as timing


class FakeMachine:
    """A wall clock and a CPU clock; `log` holds the names of the calls in order."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.log: list[str] = []

    def work(self, seconds: float, on_cpu: float = 1.0) -> None:
        """Let `seconds` pass, of which this process has the share `on_cpu` of a CPU."""
        self.wall += seconds
        self.cpu += seconds * on_cpu

    def function(self, name: str, seconds: Callable[[int], float]) -> Callable[[], None]:
        """A function whose k-th call takes ``seconds(k)``, k = 0, 1, ..."""
        calls = iter(range(10**9))

        def call() -> None:
            self.log.append(name)
            self.work(seconds(next(calls)))

        return call

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "FakeMachine":
        """Give the timing code this machine's clocks."""
        clocks = SimpleNamespace(perf_counter=lambda: self.wall, process_time=lambda: self.cpu)
        monkeypatch.setattr(stopwatch, "time", clocks)
        monkeypatch.setattr(timing, "time", clocks)
        return self
