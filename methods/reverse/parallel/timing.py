"""Time against workers: seconds by phase, the methods in turn, so that what disturbs one disturbs all."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from gradmark.method import Method
from gradmark.problem import Problem


def seconds_by_phase(
    methods: Mapping[str, Method], problem: Problem, *, rounds: int = 9
) -> dict[str, dict[str, float]]:
    """For each of several parallel methods the median seconds of a call by phase.

    "send" is copying parameters and draw to where the workers see them, "compute" is that of the worker that
    computes longest, "communicate" what it waits for the others, "call" all of it. The first call of each is
    not counted.
    """
    prepared: dict[str, Any] = {name: method.prepare(problem) for name, method in methods.items()}
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in prepared}
    try:
        for _ in range(rounds + 1):
            for name, function in prepared.items():
                function(problem.parameters)
                taken[name].append(dict(function.seconds))
    finally:
        for function in prepared.values():
            function.close()
    return {name: _medians(calls[1:]) for name, calls in taken.items()}


def _medians(calls: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {phase: median(call[phase] for call in calls) for phase in calls[0]}
