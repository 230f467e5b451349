"""How a run gets on: a bar with the time left on a terminal, a line for each comparison elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradmark.run.execute import Watcher
from gradmark.run.plan import Comparison
from gradmark.run.records import PLAIN_FORWARD, STATUSES, Record


@contextmanager
def watching(comparisons: Sequence[Comparison]) -> Iterator[Watcher]:
    """A watcher for a plan that writes to standard error."""
    if not sys.stderr.isatty():
        yield Lines(comparisons)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, comparisons)


class Lines:
    """One line for each comparison that measured something, for logs."""

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self._total, self._clock = len(comparisons), Clock(comparisons)
        self._names: dict[int, str] = {}

    def started(self, index: int, comparison: Comparison) -> None:
        """Remember its name."""
        self._names[index] = f"{comparison.study}: {comparison}"

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """Write a line, unless everything was there already."""
        self._clock.tick(index, measured=bool(records))
        if not records:
            return
        words = [summary(records), f"{seconds:.1f} s", self._clock.left()]
        line = f"[{index + 1}/{self._total}] {self._names.pop(index)}: {', '.join(filter(None, words))}"
        print(line, file=sys.stderr, flush=True)


class Bar:
    """A bar with elapsed time, an estimate of the time left, and what is being measured."""

    def __init__(self, progress: Any, comparisons: Sequence[Comparison]) -> None:
        self._progress, self._clock = progress, Clock(comparisons)
        self._task = progress.add_task("", total=len(comparisons), left="")

    def started(self, index: int, comparison: Comparison) -> None:
        """Show its name."""
        self._progress.update(self._task, description=f"{comparison.study}: {comparison}")

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """Move the bar, and let failures stay on the screen."""
        self._clock.tick(index, measured=bool(records))
        self._progress.update(self._task, advance=1, left=self._clock.left())
        for record in records:
            if record.quantity == "case" and record.status not in ("done", "skipped"):
                where = f"{record.key['method']} on {record.key['backend']} {record.key['dtype']}"
                self._progress.console.print(f"{record.status}: {where}: {record.reason}", markup=False)


class Clock:
    """The time left, from how long comparisons have taken so far.

    Each counts by its time limit, which is larger for those that are expected to take longer; those that were
    there already took no time and do not count.
    """

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self._weights = [comparison.time_limit for comparison in comparisons]
        self._remaining, self._measured, self._start = sum(self._weights), 0.0, time.monotonic()

    def tick(self, index: int, *, measured: bool) -> None:
        """Comparison number `index` is over."""
        self._remaining -= self._weights[index]
        self._measured += self._weights[index] if measured else 0.0

    def left(self) -> str:
        """In words; empty before there is anything to go by."""
        if not self._measured or self._remaining <= 0:
            return ""
        seconds = (time.monotonic() - self._start) / self._measured * self._remaining
        return f"about {seconds / 60:.1f} min left" if seconds > 90 else f"about {seconds:.0f} s left"


def summary(records: Sequence[Record]) -> str:
    """How many cases ended in which way: "6 done, 1 skipped"."""
    cases = [
        record for record in records if record.quantity == "case" and record.key["method"] != PLAIN_FORWARD
    ]
    counts = Counter(record.status for record in cases)
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status]) or "nothing new"


def failures(records: Sequence[Record], most: int = 5) -> list[str]:
    """A line for each of the first `most` cases that failed, with its reason."""
    found = [record for record in records if record.quantity == "case" and record.status == "failed"]
    lines = [
        f"failed: {record.key['method']} on {record.key['problem']}: {record.reason}"
        for record in found[:most]
    ]
    return lines + ([f"... and {len(found) - most} more"] if len(found) > most else [])
