"""What the judge does at this moment, told to whoever watches the process from outside.

A method that never returns, or takes the process with it, can't be judged by the process it runs in. So the
stages say where they are, and every call of foreign code is marked while it lasts. Without a watcher this
costs a function call.
"""

import mmap
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_BYTES = 16
"""Two doubles: when the present call began (0: there is none), and the longest call that came back."""


class Watcher(Protocol):
    """Who is told."""

    def doing(self, stage: str, where: str) -> None:
        """The judge is in `stage`, at `where`; told when one of them changes."""

    def called(self) -> None:
        """Foreign code is entered."""

    def returned(self) -> None:
        """It came back, by itself or by an exception."""


@dataclass
class _Now:
    watcher: Watcher | None = None
    stage: str = ""
    where: str = ""


_now = _Now()


def watched_by(watcher: Watcher) -> None:
    """Tell `watcher` from now on, in this process."""
    _now.watcher = watcher


def examining(stage: str) -> None:
    """The judge begins `stage`."""
    _tell(stage, "")


@contextmanager
def calling(where: str) -> Iterator[None]:
    """Inside the block foreign code runs: the method, on the problem named by `where`."""
    if _now.watcher is None:
        yield
        return
    _tell(_now.stage, where)
    _now.watcher.called()
    try:
        yield
    except (Exception, SystemExit):
        _now.watcher.returned()
        raise
    # Any other exception ends the process, and the mark that stays says whose it was.
    _now.watcher.returned()


def _tell(stage: str, where: str) -> None:
    if _now.watcher is not None and (stage, where) != (_now.stage, _now.where):
        _now.stage, _now.where = stage, where
        _now.watcher.doing(stage, where)


class Stopwatch:
    """The watcher's side of the marks: makes the file that both processes map, reads it, and removes it."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile(prefix="gradmark-", delete=False) as file:
            file.write(bytes(_BYTES))
        self.path = Path(file.name)

    def read(self) -> tuple[float | None, float]:
        """The seconds that the present call has lasted (None: there is none), and the longest one before."""
        began, longest = memoryview(self.path.read_bytes()).cast("d")
        return (None if began == 0 else time.monotonic() - began), longest

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


class Marks:
    """The watched side. `doing` is passed on to `tell`; calls are two stores into mapped memory.

    Both processes read the clock of the system, `time.monotonic`.
    """

    def __init__(self, path: Path, tell: Callable[[str, str], None]) -> None:
        with path.open("r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), _BYTES)).cast("d")
        self.doing = tell

    def called(self) -> None:
        """Note when the call began."""
        self._cells[0] = time.monotonic()

    def returned(self) -> None:
        """Note that it is over, and how long it took if none took longer."""
        self._cells[1] = max(self._cells[1], time.monotonic() - self._cells[0])
        self._cells[0] = 0.0
