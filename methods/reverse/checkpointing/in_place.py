"""A schedule followed in one NumPy or torch buffer that is allocated once.

The kernels and their order are those of `backprop_in_place.py`, so the gradient is the same to the last bit.
A result is valid until the function's next call: so the gradient lies where states have been before, and the
buffer of `arena.py` is all that is held.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.buffers import Shape, buffer, no_graph, state_shapes
from methods.reverse.checkpointing.actions import Schedule
from methods.reverse.checkpointing.arena import arena
from methods.reverse.checkpointing.lifetimes import Call, Key, Plan, Sizes, planned
from methods.reverse.checkpointing.operations import DATA, Operation, operations, steps_run
from methods.reverse.checkpointing.steps import Step

ALIGNMENT = 64
"""Bytes: values begin at multiples of it, as in arrays of their own."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """One call of a layer: ``run(parameters, x, *others)``; `x` None: the data."""

    run: Callable[..., None]
    layer: int
    x: Any
    others: tuple[Any, ...]


@dataclass(frozen=True)
class _Workspace:
    """Views of the buffer for one number of rows, and the calls that fill them: up to the loss, and then."""

    result: dict[str, Any]
    ahead: list[_Bound]
    outputs: Any
    d_outputs: Any
    then: list[_Bound]


def prepare_in_place(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> Prepared:
    """The prepared function; a draw of other rows gets buffers of its own for that call."""
    done = operations(schedule, len(steps))
    usual = _workspace(problem, done, steps, _inputs(problem.default_draw))
    forward, without_graph = forward_passes(done, steps), no_graph(problem)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        rows = share_of_rows(problem, draw)
        with without_graph():
            work = usual if rows == 1 else _workspace(problem, done, steps, _inputs(draw))
            value = _run(work, problem, parameters, draw)
        count(forward=forward * rows, pullback=rows)
        return Estimate(work.result, value, Work(forward=forward * rows, pullback=rows))

    return gradient


def forward_passes(done: Sequence[Operation], steps: Sequence[Step]) -> float:
    """All steps that are run forward, by their costs, as a multiple of one forward pass."""
    return sum(steps[each].cost for each in steps_run(done)) / sum(each.cost for each in steps)


def plan_in_place(
    problem: Problem, done: Sequence[Operation], steps: Sequence[Step], shapes: Sequence[Shape]
) -> Plan:
    """The calls of layers, and what they need when; each value with the room it takes in the buffer."""
    grain = max(1, ALIGNMENT // problem.arrays.itemsize)
    sizes = [
        Sizes(
            _rounded(shape, grain),
            {full: _rounded(problem.parameters[full].shape, grain) for full in named.names.values()},
        )
        for named, shape in zip(problem.layers or (), shapes[1:], strict=True)
    ]
    return planned(done, steps, sizes)


def numbers_allocated(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> int:
    """How many numbers are allocated, with the gradient: the whole arena."""
    shapes = state_shapes(problem, _inputs(problem.default_draw))
    return arena(plan_in_place(problem, operations(schedule, len(steps)), steps, shapes).values).numbers


def _run(work: _Workspace, problem: Problem, parameters: Parameters, draw: Draw) -> Any:
    """The loss; its gradient is in the workspace."""
    inputs = draw.arrays["inputs"]
    criterion: Any = problem.criterion
    own = [named.own(parameters) for named in problem.layers or ()]
    for call in work.ahead:
        call.run(own[call.layer], inputs if call.x is None else call.x, *call.others)
    value = criterion.value_and_pullback_into(work.outputs, draw, work.d_outputs)
    for call in work.then:
        call.run(own[call.layer], inputs if call.x is None else call.x, *call.others)
    return value


def _workspace(
    problem: Problem, done: Sequence[Operation], steps: Sequence[Step], inputs: Shape
) -> _Workspace:
    shapes = state_shapes(problem, inputs)
    plan = plan_in_place(problem, done, steps, shapes)
    views = _views(problem, plan, shapes)
    turn = next(index for index, call in enumerate(plan.calls) if call.back)
    return _Workspace(
        {name: views["gradient", name] for name in problem.parameters},
        [_bound(problem, call, views) for call in plan.calls[:turn]],
        views["state", plan.calls[turn].y],
        views["delta", len(shapes) - 1],
        [_bound(problem, call, views) for call in plan.calls[turn + 1 :]],
    )


def _views(problem: Problem, plan: Plan, shapes: Sequence[Shape]) -> dict[Key, Any]:
    """Each value's place in a new buffer."""
    places = arena(plan.values)
    whole = buffer(problem, places.numbers)
    shape_of: dict[Key, tuple[int, ...]] = {
        ("state", call.y): shapes[call.layer + 1] for call in plan.calls if not call.back
    }
    shape_of |= {("delta", layer): shape for layer, shape in enumerate(shapes)}
    shape_of |= {("gradient", name): tuple(array.shape) for name, array in problem.parameters.items()}
    return {
        key: whole[offset : offset + math.prod(shape_of[key])].reshape(shape_of[key])
        for key, offset in places.offsets.items()
    }


def _bound(problem: Problem, call: Call, views: dict[Key, Any]) -> _Bound:
    named: Any = (problem.layers or ())[call.layer]
    x, y = None if call.x == DATA else views["state", call.x], views["state", call.y]
    if not call.back:
        return _Bound(named.layer.forward_into, call.layer, x, (y,))
    dy, dx = views["delta", call.layer + 1], views.get(("delta", call.layer))
    gradient = {name: views["gradient", full] for name, full in named.names.items()}
    return _Bound(named.layer.pullback_into, call.layer, x, (y, dy, dx, gradient))


def _rounded(shape: Sequence[int], grain: int) -> int:
    """The numbers of an array, as a whole number of grains."""
    return -(-math.prod(shape) // grain) * grain


def _inputs(draw: Draw) -> Shape:
    rows, units = draw.arrays["inputs"].shape
    return int(rows), int(units)
