"""What a worker is told to do: a comparison, and for each of its methods what is still to be measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradmark.run.plan import Comparison, MethodCall, from_json, frozen, to_json
from gradmark.run.records import Group, plain
from gradmark.run.session import History


@dataclass(frozen=True)
class MethodTask:
    """One method's part of a task: its call, the key of its case, what is missing and what is known."""

    call: MethodCall
    key: Mapping[str, Any]
    groups: tuple[Group, ...]
    history: History = field(default_factory=History)


@dataclass(frozen=True)
class Task:
    """The part of a comparison that is still to be measured, by one worker."""

    comparison: Comparison
    forward_key: Mapping[str, Any]
    methods: tuple[MethodTask, ...]


def to_message(task: Task) -> dict[str, Any]:
    """The task as JSON values."""
    return {
        "comparison": to_json(task.comparison),
        "forward_key": plain(task.forward_key),
        "methods": [
            {
                "call": {"name": method.call.name, "hyper": plain(method.call.hyper)},
                "key": plain(method.key),
                "groups": list(method.groups),
                "pass_costs": plain(method.history.pass_costs),
                "time_outs": plain(method.history.time_outs),
            }
            for method in task.methods
        ],
    }


def from_message(message: Mapping[str, Any]) -> Task:
    """The task that `to_message` wrote."""
    return Task(
        from_json(message["comparison"]),
        message["forward_key"],
        tuple(
            MethodTask(
                MethodCall(method["call"]["name"], frozen(method["call"]["hyper"])),
                method["key"],
                tuple(method["groups"]),
                History(frozen(method["pass_costs"]), frozen(method["time_outs"])),
            )
            for method in message["methods"]
        ),
    )
