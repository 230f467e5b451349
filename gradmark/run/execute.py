"""Running a plan: one comparison after the other, each in its own worker, every record on disk at once.

With an executor (anything like `concurrent.futures.Executor`, such as that of a Dask cluster) comparisons
run wherever it runs them. Sizes of one problem on one backend stay in the plan's order, so that a larger
one knows what took too long before.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing
from typing import Protocol

from gradmark.run.plan import Comparison
from gradmark.run.records import Record
from gradmark.run.remaining import prepare, remaining
from gradmark.run.store import OUTPUT, Store
from gradmark.run.supervise import collect, supervise
from gradmark.run.task import Task


class Watcher(Protocol):
    """Who is told how a run gets on."""

    def started(self, index: int, comparison: Comparison) -> None:
        """Comparison number `index` begins."""

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """It has ended, with these new records; none where everything was there already."""


class Silent:
    """A watcher that says nothing."""

    def started(self, index: int, comparison: Comparison) -> None:
        """Say nothing."""

    def ended(self, index: int, records: Sequence[Record], seconds: float) -> None:
        """Say nothing."""


def prepared(plan: Iterable[Comparison]) -> list[Task]:
    """The plan with every name resolved; `UsageError` for one that is wrong, before anything is measured."""
    return [prepare(comparison) for comparison in plan]


def lacking(tasks: Iterable[Task], store: Store) -> bool:
    """Whether `store` lacks anything of the plan."""
    return any(remaining(task, store).methods for task in tasks)


def execute(
    tasks: Sequence[Task],
    store: Store,
    *,
    executor: Executor | None = None,
    watcher: Watcher | None = None,
) -> None:
    """Measure what `store` lacks of a prepared plan, here or with `executor`.

    Raises `gradmark.run.appending.StorageError` where records cannot be written. An interruption ends the
    worker; the records that were finished stay, and the same plan continues there.
    """
    watcher = watcher or Silent()
    if executor is None:
        _one_by_one(tasks, store, watcher)
    else:
        _spread(tasks, store, executor, watcher)


def _one_by_one(tasks: Sequence[Task], store: Store, watcher: Watcher) -> None:
    for index, task in enumerate(tasks):
        start, new = time.monotonic(), []
        watcher.started(index, task.comparison)
        rest = remaining(task, store)
        if rest.methods:
            # Closed at once if a record cannot be written, so that no worker goes on without a reader.
            with closing(supervise(rest, store.folder / OUTPUT)) as batches:
                for records in batches:
                    new += store.append(records)
        watcher.ended(index, new, time.monotonic() - start)


def _spread(tasks: Sequence[Task], store: Store, executor: Executor, watcher: Watcher) -> None:
    """Every chain of sizes has at most one comparison running; the next one starts when it has ended."""
    chains: dict[str, deque[tuple[int, Task]]] = {}
    for index, task in enumerate(tasks):
        chains.setdefault(_chain(task.comparison), deque()).append((index, task))
    running: dict[Future[list[Record]], tuple[str, int, float]] = {}
    try:
        for name in chains:
            _submit_next(name, chains, store, executor, watcher, running)
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name, index, start = running.pop(future)
                new = store.append(_result(future, tasks[index]))
                watcher.ended(index, new, time.monotonic() - start)
                _submit_next(name, chains, store, executor, watcher, running)
    finally:
        for future in running:
            future.cancel()


def _result(future: Future[list[Record]], task: Task) -> list[Record]:
    """What came back; where the executor lost the task, records that say so."""
    try:
        return future.result()
    except Exception as error:
        reason = f"the executor lost it: {type(error).__name__}: {error}"
        study = task.comparison.study
        return [
            Record(part.key, "case", status="failed", reason=reason, study=study) for part in task.methods
        ]


def _submit_next(
    name: str,
    chains: dict[str, deque[tuple[int, Task]]],
    store: Store,
    executor: Executor,
    watcher: Watcher,
    running: dict[Future[list[Record]], tuple[str, int, float]],
) -> None:
    while chains[name]:
        index, task = chains[name].popleft()
        watcher.started(index, task.comparison)
        rest = remaining(task, store)
        if rest.methods:
            running[executor.submit(collect, rest)] = (name, index, time.monotonic())
            return
        watcher.ended(index, [], 0.0)


def _chain(comparison: Comparison) -> str:
    place = (comparison.backend, comparison.device, comparison.dtype, str(comparison.threads))
    return "/".join((comparison.study, comparison.problem, *place))
