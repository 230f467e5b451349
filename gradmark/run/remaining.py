"""From a comparison and what a run holds already to what a worker still has to do."""

from collections.abc import Mapping
from typing import Any

from gradmark.run.plan import Comparison, MethodCall, check_groups
from gradmark.run.records import PLAIN_FORWARD, QUANTITIES, Group, Record, digest
from gradmark.run.resolving import build_method, case_key, hyper_of
from gradmark.run.session import History
from gradmark.run.store import Store
from gradmark.run.task import MethodTask, Task

_SAME_CHAIN = ("problem", "method", "hyper", "backend", "device", "dtype", "threads", "version", "want")
"""Fields of a key that cases of one method at several sizes share."""
_MORE_TIME = 1.1
"""A case that ran out of time is tried again when it gets this many times as much."""


def prepare(comparison: Comparison) -> Task:
    """The whole comparison as a task, its methods and keys resolved; `UsageError` where a name is wrong."""
    parts = tuple(_part(comparison, call) for call in comparison.methods)
    return Task(comparison, case_key(comparison, PLAIN_FORWARD, {}), parts)


def remaining(task: Task, store: Store) -> Task:
    """The part of the task that `store` lacks, with what the run knows of each method at other sizes."""
    parts = []
    for part in task.methods:
        known = store.case(task.comparison.study, digest(part.key))
        groups = missing(known, part.groups, task.comparison.time_limit)
        if groups is not None:
            parts.append(
                MethodTask(part.call, part.key, groups, history(store, task.comparison.study, part.key))
            )
    return Task(task.comparison, task.forward_key, tuple(parts))


def missing(
    known: Mapping[str, Record], wanted: tuple[Group, ...], time_limit: float
) -> tuple[Group, ...] | None:
    """The groups of a case that are still to be measured; None where nothing is left to do.

    An empty tuple says that everything was measured and only the record "case" is lacking.
    """
    lacking = tuple(group for group in wanted if not known.keys() >= set(QUANTITIES[group]))
    case = known.get("case")
    if case is None:
        return lacking
    if case.status == "done":
        return lacking or None
    limit = case.detail.get("limit")
    may_have_more_time = isinstance(limit, int | float) and time_limit > _MORE_TIME * limit
    return lacking if may_have_more_time else None


def history(store: Store, study: str, key: Mapping[str, Any]) -> History:
    """What the run knows of a method at other sizes: the cost of a pass, and where it took too long."""
    costs, time_outs = [], []
    chain = _chain(key)
    for case in store.cases():
        record = case.get("case")
        if record is None or record.study != study or _chain(record.key) != chain or "P" not in record.detail:
            continue
        size = int(record.detail["P"])
        if record.status == "timed out":
            time_outs.append((size, record.detail.get("forward_flops"), float(record.detail["limit"])))
        ratio = case["ratio"].value if "ratio" in case else None
        passes = record.detail.get("declared_passes")
        if ratio is not None and passes:
            costs.append((size, ratio / passes))
    return History(tuple(costs), tuple(time_outs))


def _part(comparison: Comparison, call: MethodCall) -> MethodTask:
    method = build_method(call)
    key = case_key(comparison, call.name, hyper_of(method, call))
    return MethodTask(call, key, check_groups(comparison.quantities))


def _chain(key: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(digest(key.get(field)) for field in _SAME_CHAIN)
