"""Watching over the workers of one comparison: a method that hangs or crashes ends its own case alone."""

import os
import signal
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gradmark.run.marker import Marker
from gradmark.run.process import Worker
from gradmark.run.records import QUANTITIES, Group, Record, Status, digest, from_line
from gradmark.run.session import Stage
from gradmark.run.task import MethodTask, Task, to_message

_DOING: dict[Stage, str] = {
    "start": "while Python started",
    "problem": "while the problem was built and its loss was run",
    "reference": "while the reference was computed",
    "supports": "in `supports` or `claims`",
    "prepare": "in `prepare`",
    "error": "in its first calls",
    "memory": "while its memory was measured",
    "time": "while it was timed",
}


@dataclass
class _Watched:
    """One method of the task, and what its workers have said of it so far."""

    part: MethodTask
    detail: dict[str, Any] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    @property
    def rest(self) -> MethodTask:
        """The part of it that is still to be measured."""
        groups: list[Group] = [
            group for group in self.part.groups if not self.seen.issuperset(QUANTITIES[group])
        ]
        return replace(self.part, groups=tuple(groups))


def supervise(task: Task, log: Path) -> Generator[list[Record], None, None]:
    """Run the task in workers, and yield its records as they are finished.

    A method that hangs, crashes or takes all the time ends its worker; the case ends as timed out, failed or
    out of memory, and those that had no turn get a new worker. What methods print is appended to `log`.
    """
    left = [_Watched(part) for part in task.methods]
    while left:
        marker = Marker()
        rest = replace(task, methods=tuple(one.rest for one in left))
        message = {"task": to_message(rest), "marker": str(marker.path)}
        worker = Worker(message, task.comparison.threads, log)
        try:
            finished = yield from _listen(worker, left, task.comparison.time_limit)
            culprit, stage = marker.read()
        finally:
            code = worker.end()
            marker.close()
        if not finished:
            yield _end_from_outside(task, left, culprit, *_ending(task, code, stage, log))
        left = [one for one in left if "case" not in one.seen]
        if finished and left:
            yield _end_from_outside(task, left, -1, "failed", "its worker finished without it")
            return


def collect(task: Task) -> list[Record]:
    """All records of a task: what an executor on another machine is asked to do.

    Timings must not disturb each other, so tasks that are sent to one machine wait for their turn.
    """
    import fcntl

    turn = Path(tempfile.gettempdir()) / f"gradmark-one-at-a-time-{os.getuid()}.lock"
    with turn.open("a") as lock, tempfile.NamedTemporaryFile(prefix="gradmark-", suffix=".log") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return [record for records in supervise(task, Path(log.name)) for record in records]


def _listen(worker: Worker, left: list[_Watched], limit: float) -> Generator[list[Record], None, bool]:
    """Yield what the worker records; True if it finished by itself."""
    by_id = {digest(one.part.key): one for one in left}
    for message in worker.messages(limit):
        if message["event"] == "finished":
            return True
        if message["event"] == "detail":
            left[message["index"]].detail = message["detail"]
        else:
            records = [from_line(line) for line in message["lines"]]
            for record in records:
                if record.id in by_id:
                    by_id[record.id].seen.add(record.quantity)
            yield records
    return False


def _end_from_outside(
    task: Task, left: list[_Watched], culprit: int, status: Status, reason: str
) -> list[Record]:
    """The case of the method that ran when its worker ended; of all, when none of them did (culprit -1)."""
    ended = [one for one in (left if culprit < 0 else [left[culprit]]) if "case" not in one.seen]
    for one in ended:
        one.seen.add("case")
    limit = {"limit": task.comparison.time_limit} if status == "timed out" else {}
    return [
        Record(
            one.part.key,
            "case",
            status=status,
            reason=reason,
            study=task.comparison.study,
            detail={**one.detail, **limit},
        )
        for one in ended
    ]


def _ending(task: Task, code: int | None, stage: Stage, log: Path) -> tuple[Status, str]:
    """How a worker ended that did not finish: its exit code, None if it had to be stopped."""
    doing = _DOING[stage]
    if code is None:
        return "timed out", f"stopped after {task.comparison.time_limit:g} s, {doing}"
    if code == -signal.SIGKILL:
        return "out of memory", f"its process was killed {doing}, as the kernel does when memory runs out"
    if code < 0:
        return "failed", f"its process crashed with {signal.Signals(-code).name} {doing}"
    return "failed", f"its process ended with exit code {code} {doing}: {_last_line(log)}"


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-4096:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it left no message"
