"""What a schedule holds at the most between the way forward and the way back, in bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.measuring.saved import distinct_bytes
from gradmark.problem import Problem
from gradmark.work import uncounted
from methods.reverse.checkpointing.actions import Reverse, Schedule, Store
from methods.reverse.checkpointing.operations import operations, states_at_once
from methods.reverse.checkpointing.steps import Step


def held_in_place(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> dict[str, int]:
    """The data, and as much of the arena as states need at once."""
    states = states_at_once(operations(schedule, len(steps)), [each.size for each in steps])
    return {"inputs": _inputs(problem), "states": problem.arrays.itemsize * states}


def held_portably(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> dict[str, int]:
    """The data, and at the reversal that holds most: the states stored, and what its steps save beside them.

    One forward pass that keeps everything tells how large all of these are.
    """
    ran = _forward(problem, steps)
    stored = {0: ran[0].x}
    held: list[dict[str, int]] = []
    for action in schedule:
        if isinstance(action, Store):
            stored[action.state] = ran[action.state].x
        elif isinstance(action, Reverse):
            stored[action.start] = ran[action.start].x
            run = ran[action.start : action.stop]
            segment = ([each.saved for each in run], run[-1].y if action.stop == len(steps) else ())
            kept = {"inputs": ran[0].x, "states": list(stored.values()), "segment": segment}
            held.append(distinct_bytes(kept, problem.parameters.values()))
            del stored[action.start]
    return max(held, key=lambda each: sum(each.values()))


@dataclass(frozen=True)
class _Ran:
    """A step that was run: its input, what its layers saved, and its output."""

    x: Array
    saved: Any
    y: Array


def _forward(problem: Problem, steps: Sequence[Step]) -> list[_Ran]:
    draw, ran = problem.default_draw, list[_Ran]()
    h = draw.arrays["inputs"]
    with uncounted():
        for step in steps:
            trace = passes.forward_layers(problem, problem.parameters, draw, h, step.start, step.stop)
            ran.append(_Ran(h, trace.saved, trace.outputs))
            h = trace.outputs
    return ran


def _inputs(problem: Problem) -> int:
    """The bytes of the data, a number for each unit of a row."""
    units: tuple[int, ...] = problem.default_draw.arrays["inputs"].shape
    return problem.arrays.itemsize * math.prod(units)
