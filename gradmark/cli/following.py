"""How a validation gets on, on standard error: one line that changes on a terminal, else one for a stage."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradmark.judging.presenting.printable import one_line
from gradmark.judging.process.supervised import Case, Listener
from gradmark.judging.verdict import Finding


@contextmanager
def following(case: Case, *, quiet: bool) -> Iterator[Listener]:
    """A listener that writes to standard error, unless `quiet`."""
    if quiet:
        yield Listener()
    elif sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(case.method, spinner="line") as status:
            yield Line(case.method, status)
    else:
        listener = Lines(case.method)
        yield listener
        listener.close()


class Line(Listener):
    """One line: the method, the stage, the problem, the time, and how many findings there are so far."""

    def __init__(self, method: str, status: Any) -> None:
        self._method, self._status = method, status
        self._stage, self._time, self._counts = "", "", Counter[str]()

    def doing(self, stage: str, where: str) -> None:
        """Show both."""
        self._stage = f"{stage} {where}"
        self._show()

    def found(self, finding: Finding) -> None:
        """Count it."""
        self._counts[finding.status] += 1

    def waiting(self, seconds: float, budget: float | None) -> None:
        """Show the time."""
        self._time = f"{seconds:.0f} s" if budget is None else f"{seconds:.0f} of {budget:.0f} s"
        self._show()

    def _show(self) -> None:
        from rich.text import Text

        words = [self._method, self._time, _counted(self._counts), self._stage]
        self._status.update(
            Text(one_line(" | ".join(filter(None, words))), no_wrap=True, overflow="ellipsis")
        )


class Lines(Listener):
    """A line for each stage when it is over, for logs."""

    def __init__(self, method: str) -> None:
        self._method, self._stage, self._counts, self._seconds = method, "", Counter[str](), 0.0

    def doing(self, stage: str, where: str) -> None:
        """Close the stage before."""
        if stage != self._stage:
            self.close()
            self._stage = stage

    def found(self, finding: Finding) -> None:
        """Count it."""
        self._counts[finding.status] += 1

    def waiting(self, seconds: float, budget: float | None) -> None:
        """Remember the time."""
        self._seconds = seconds

    def close(self) -> None:
        """Write the line of the stage."""
        if self._counts:
            line = f"{self._method}: {self._stage}: {_counted(self._counts)} ({self._seconds:.0f} s)"
            print(one_line(line), file=sys.stderr, flush=True)
        self._counts.clear()


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items())
