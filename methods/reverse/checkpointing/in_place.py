"""A schedule followed in one NumPy or torch buffer that is allocated once.

The kernels and their order are those of `backprop_in_place.py`, so the gradient is the same to the last bit.
A result is valid until the function's next call: so the gradient lies where states have been before, and the
buffer of `arena.py` is all that is held.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from gradmark.draw import Draw
from gradmark.layer import Own
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.structure import state_shapes
from gradmark.work import Work, count
from methods.reverse.buffers import buffer, no_graph
from methods.reverse.checkpointing.actions import Schedule
from methods.reverse.checkpointing.arena import Arena, arena
from methods.reverse.checkpointing.lifetimes import Call, Key, Sizes, planned
from methods.reverse.checkpointing.operations import DATA, Operation, operations, steps_run
from methods.reverse.checkpointing.steps import Step

ALIGNMENT = 64
"""Bytes: values begin at multiples of it, as in arrays of their own."""


@dataclass(frozen=True)
class _Layout:
    """The calls for one number of rows, with the place and the shape of each value."""

    calls: tuple[Call, ...]
    places: Arena[Key]
    shape_of: dict[Key, tuple[int, ...]]


class _Bound(NamedTuple):
    """A layer's ``forward_into`` or ``pullback_into`` with its arrays; `x` None: the data.

    `dy`, `dx` and `gradient` are those of a pullback.
    """

    run: Callable[..., None]
    layer: int
    x: Any
    y: Any
    dy: Any = None
    dx: Any = None
    gradient: Own | None = None


@dataclass(frozen=True)
class _Workspace:
    """Views of the buffer for one number of rows, and the calls that fill them: up to the loss, and then.

    `names` are those of each layer's parameters, short and full.
    """

    result: dict[str, Any]
    names: list[tuple[tuple[str, str], ...]]
    ahead: list[_Bound]
    outputs: Any
    d_outputs: Any
    then: list[_Bound]


def prepare_in_place(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> Prepared:
    """The prepared function; a draw of other rows gets a buffer of its own for that call."""
    done = operations(schedule, len(steps))
    layout = lru_cache(maxsize=8)(partial(_layout, problem, done, steps))
    usual = _workspace(problem, layout(_rows(problem.default_draw)))
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
            work = usual if rows == 1 else _workspace(problem, layout(_rows(draw)))
            value = _run(work, problem, parameters, draw)
        count(forward=forward * rows, pullback=rows)
        return Estimate(work.result, value, Work(forward=forward * rows, pullback=rows))

    return gradient


def forward_passes(done: Sequence[Operation], steps: Sequence[Step]) -> float:
    """All steps that are run forward, by their costs, as a multiple of one forward pass."""
    return sum(steps[each].cost for each in steps_run(done)) / sum(each.cost for each in steps)


def numbers_allocated(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> int:
    """How many numbers are allocated, with the gradient: the whole arena."""
    done, rows = operations(schedule, len(steps)), _rows(problem.default_draw)
    return _layout(problem, done, steps, rows).places.numbers


def _layout(problem: Problem, done: Sequence[Operation], steps: Sequence[Step], rows: int) -> _Layout:
    """Each value takes a whole number of grains of the buffer."""
    grain = max(1, ALIGNMENT // problem.arrays.itemsize)
    shapes = state_shapes(problem.layers or (), (rows, int(problem.default_draw.arrays["inputs"].shape[1])))
    sizes = [
        Sizes(
            _rounded(shape, grain),
            {full: _rounded(problem.parameters[full].shape, grain) for full in named.names.values()},
        )
        for named, shape in zip(problem.layers or (), shapes[1:], strict=True)
    ]
    plan = planned(done, steps, sizes)
    shape_of: dict[Key, tuple[int, ...]] = {
        ("state", call.y): shapes[call.layer + 1] for call in plan.calls if not call.back
    }
    shape_of |= {("delta", layer): shape for layer, shape in enumerate(shapes)}
    shape_of |= {("gradient", name): tuple(array.shape) for name, array in problem.parameters.items()}
    return _Layout(plan.calls, arena(plan.values), shape_of)


def _rounded(shape: Sequence[int], grain: int) -> int:
    """The numbers of an array, as a whole number of grains."""
    return -(-math.prod(shape) // grain) * grain


def _run(work: _Workspace, problem: Problem, parameters: Parameters, draw: Draw) -> Any:
    """The loss; its gradient is in the workspace."""
    inputs = draw.arrays["inputs"]
    criterion: Any = problem.criterion
    own = [{name: parameters[full] for name, full in names} for names in work.names]
    for call in work.ahead:
        call.run(own[call.layer], inputs if call.x is None else call.x, call.y)
    value = criterion.value_and_pullback_into(work.outputs, draw, work.d_outputs)
    for run, layer, x, y, dy, dx, gradient in work.then:
        if gradient is None:
            run(own[layer], inputs if x is None else x, y)
        else:
            run(own[layer], inputs if x is None else x, y, dy, dx, gradient)
    return value


def _workspace(problem: Problem, layout: _Layout) -> _Workspace:
    views, calls = _views(problem, layout), layout.calls
    turn = next(index for index, call in enumerate(calls) if call.back)
    return _Workspace(
        {name: views["gradient", name] for name in problem.parameters},
        [tuple(named.names.items()) for named in problem.layers or ()],
        [_bound(problem, call, views) for call in calls[:turn]],
        views["state", calls[turn].y],
        views["delta", calls[turn].layer],
        [_bound(problem, call, views) for call in calls[turn + 1 :]],
    )


def _views(problem: Problem, layout: _Layout) -> dict[Key, Any]:
    """Each value's place in a new buffer."""
    whole = buffer(problem, layout.places.numbers)
    views: dict[Key, Any] = {}
    for key, offset in layout.places.offsets.items():
        shape = layout.shape_of[key]
        views[key] = whole[offset : offset + math.prod(shape)].reshape(shape)
    return views


def _bound(problem: Problem, call: Call, views: dict[Key, Any]) -> _Bound:
    named: Any = (problem.layers or ())[call.layer]
    x, y = None if call.x == DATA else views["state", call.x], views["state", call.y]
    if not call.back:
        return _Bound(named.layer.forward_into, call.layer, x, y)
    dy, dx = views["delta", call.layer + 1], views.get(("delta", call.layer))
    gradient = {name: views["gradient", full] for name, full in named.names.items()}
    return _Bound(named.layer.pullback_into, call.layer, x, y, dy, dx, gradient)


def _rows(draw: Draw) -> int:
    return int(draw.arrays["inputs"].shape[0])
