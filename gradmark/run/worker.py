"""The worker process of one comparison: ``python -P -m gradmark.run.worker``.

It reads its task from standard input and answers on its standard output with one JSON object a line. What
methods print goes to standard error, so that it can't be taken for an answer. Threads were set in its
environment before it started, because BLAS libraries read them when they are loaded.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gradmark.errors import UsageError
from gradmark.measuring.forked import die_with_parent
from gradmark.run.cpus import settle
from gradmark.run.marker import writer
from gradmark.run.records import Record, to_line
from gradmark.run.session import Candidate, Session
from gradmark.run.task import Task, from_message

Send = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Measure one task and leave."""
    started = time.monotonic()
    send = private_channel()
    message = json.loads(sys.stdin.buffer.read())
    die_with(message["supervisor"])
    task = from_message(message["task"])
    settle(task.comparison.threads)
    run(task, send, started, Path(message["marker"]))
    send({"event": "finished"})


def run(task: Task, send: Send, started: float, marker: Path) -> None:
    """Build the problem and the methods of a task, and measure them."""
    from gradmark.run.resolving import build_method, build_problem

    announce, comparison = writer(marker), task.comparison

    def emit(records: Sequence[Record]) -> None:
        send({"event": "records", "lines": [to_line(record) for record in records]})

    announce(-1, "problem")
    try:
        problem: Any = build_problem(comparison)
        methods = [build_method(method.call) for method in task.methods]
    except (Exception, SystemExit) as error:
        emit(_unbuilt(task, error))
        return
    from gradmark.run.measurement import measure

    session = Session(
        problem,
        comparison.study,
        task.forward_key,
        emit,
        announce,
        describe=lambda index, detail: send({"event": "detail", "index": index, "detail": dict(detail)}),
        seed=comparison.seed,
        repetitions=comparison.repetitions,
        limit=comparison.time_limit,
        deadline=started + comparison.time_limit,
        budget=comparison.budget,
        want=comparison.want,
    )
    measure(session, [_candidate(index, task, method) for index, method in enumerate(methods)])


def _candidate(index: int, task: Task, method: Any) -> Candidate:
    part = task.methods[index]
    return Candidate(index, method, part.key, part.groups, part.history)


def _unbuilt(task: Task, error: BaseException) -> list[Record]:
    """Records for all methods of a problem that can't be built here: skipped where gradmark can say why."""
    from gradmark.run.attempt import verdict

    status, reason = ("skipped", str(error)) if isinstance(error, UsageError) else verdict(error)
    study = task.comparison.study
    return [
        Record(part.key, "case", status=status, reason=reason, study=study)  # type: ignore[arg-type]
        for part in task.methods
    ]


def private_channel() -> Send:
    """A copy of standard output for answers alone; prints go to standard error from now on."""
    sys.stdout.flush()
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    def send(message: Mapping[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return send


def die_with(supervisor: int) -> None:
    """End with the supervisor, and be the first to go when the machine runs out of memory (Linux)."""
    if sys.platform != "linux":
        return
    die_with_parent()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != supervisor:
        os._exit(1)


if __name__ == "__main__":
    main()
