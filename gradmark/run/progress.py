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
def watching(total: int) -> Iterator[Watcher]:
    """A watcher for `total` comparisons that writes to standard error."""
    if not sys.stderr.isatty():
        yield Lines(total)
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
        yield Bar(progress, total)


class Lines:
    """One line for each comparison that measured something, for logs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._names: dict[int, str] = {}
        self._clock = Clock(total)

    def started(self, index: int, comparison: Comparison) -> None:
        """Remember its name."""
        self._names[index] = f"{comparison.study}: {comparison}"

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """Write a line, unless everything was there already."""
        self._clock.tick(measured=bool(records))
        if not records:
            return
        left = self._clock.left()
        line = (
            f"[{index + 1}/{self._total}] {self._names.pop(index)}: {summary(records)}, {seconds:.1f} s{left}"
        )
        print(line, file=sys.stderr, flush=True)


class Bar:
    """A bar with elapsed time, an estimate of the time left, and what is being measured."""

    def __init__(self, progress: Any, total: int) -> None:
        self._progress = progress
        self._clock = Clock(total)
        self._task = progress.add_task("", total=total, left="")

    def started(self, index: int, comparison: Comparison) -> None:
        """Show its name."""
        self._progress.update(self._task, description=f"{comparison.study}: {comparison}")

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """Move the bar, and let failures stay on the screen."""
        self._clock.tick(measured=bool(records))
        self._progress.update(self._task, advance=1, left=self._clock.left().removeprefix(", "))
        for record in records:
            if record.quantity == "case" and record.status not in ("done", "skipped"):
                where = f"{record.key['method']} on {record.key['backend']} {record.key['dtype']}"
                self._progress.console.print(f"{record.status}: {where}: {record.reason}", markup=False)


class Clock:
    """The time left, from how long comparisons have taken so far. Those that were there already took none."""

    def __init__(self, total: int) -> None:
        self._remaining, self._measured, self._start = total, 0, time.monotonic()

    def tick(self, *, measured: bool) -> None:
        """One comparison is over."""
        self._remaining -= 1
        self._measured += measured

    def left(self) -> str:
        """In words; empty before there is anything to go by."""
        if not self._measured or not self._remaining:
            return ""
        seconds = (time.monotonic() - self._start) / self._measured * self._remaining
        return f", about {seconds / 60:.1f} min left" if seconds > 90 else f", about {seconds:.0f} s left"


def summary(records: Sequence[Record]) -> str:
    """How many cases ended in which way: "6 done, 1 skipped"."""
    cases = [
        record for record in records if record.quantity == "case" and record.key["method"] != PLAIN_FORWARD
    ]
    counts = Counter(record.status for record in cases)
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status]) or "nothing new"
