"""A schedule followed in NumPy or torch buffers that are allocated once.

The kernels and their order are those of `backprop_in_place.py`, so the gradient is the same to the last bit.
Beside the gradient, the arena of `arena.py`, two buffers for deltas and one for the gradient of the outputs
are held, and nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.buffers import BoundLayer, bound_layers, buffer, delta_numbers, no_graph, state_shapes
from methods.reverse.checkpointing.actions import Schedule
from methods.reverse.checkpointing.arena import DATA, Arena, Operation, arena, operations, steps_run
from methods.reverse.checkpointing.steps import Step


@dataclass(frozen=True, slots=True)
class _Call:
    """One layer, run from buffer `x` to buffer `y` or pulled back between them; `x` None: the data."""

    layer: int
    x: Any
    y: Any


@dataclass(frozen=True)
class _Workspace:
    """All buffers for one number of rows, and the calls that fill them: up to the outputs, and then."""

    result: dict[str, Any]
    layers: list[BoundLayer]
    ahead: list[_Call]
    then: list[tuple[bool, _Call]]
    d_outputs: Any


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
            value = _run(work, problem.criterion, parameters, draw)
        count(forward=forward * rows, pullback=rows)
        return Estimate(work.result, value, Work(forward=forward * rows, pullback=rows))

    return gradient


def forward_passes(done: Sequence[Operation], steps: Sequence[Step]) -> float:
    """All steps that are run forward, by their costs, as a multiple of one forward pass."""
    return sum(steps[each].cost for each in steps_run(done)) / sum(each.cost for each in steps)


def numbers_beside_gradient(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> int:
    """How many numbers are allocated beside the gradient: the arena, two deltas, the outputs' gradient."""
    shapes = state_shapes(problem, _inputs(problem.default_draw))
    states = arena(operations(schedule, len(steps)), [each.size for each in steps])
    return states.numbers + 2 * delta_numbers(shapes) + math.prod(shapes[-1])


def _run(work: _Workspace, criterion: Any, parameters: Parameters, draw: Draw) -> Any:
    """The loss; its gradient is in the workspace."""
    inputs, layers = draw.arrays["inputs"], work.layers
    own = [layer.own(parameters) for layer in layers]
    for call in work.ahead:
        layers[call.layer].forward_into(own[call.layer], inputs if call.x is None else call.x, call.y)
    value = criterion.value_and_pullback_into(work.ahead[-1].y, draw, work.d_outputs)
    delta = work.d_outputs
    for back, call in work.then:
        layer, x = layers[call.layer], inputs if call.x is None else call.x
        if back:
            layer.pullback_into(own[call.layer], x, call.y, delta, layer.dx, layer.gradient)
            delta = layer.dx
        else:
            layer.forward_into(own[call.layer], x, call.y)
    return value


def _workspace(
    problem: Problem, done: Sequence[Operation], steps: Sequence[Step], inputs: tuple[int, int]
) -> _Workspace:
    shapes = state_shapes(problem, inputs)
    result = {name: problem.arrays.xp.empty_like(array) for name, array in problem.parameters.items()}
    states = _states(problem, done, [shapes[step.stop] for step in steps])
    calls = [
        (operation.back, call)
        for operation in done
        for call in _calls(operation, steps[operation.step], states)
    ]
    turn = next(index for index, (back, _) in enumerate(calls) if back)
    return _Workspace(
        result,
        bound_layers(problem, result, shapes),
        [call for _, call in calls[:turn]],
        calls[turn:],
        buffer(problem, math.prod(shapes[-1])).reshape(shapes[-1]),
    )


def _states(problem: Problem, done: Sequence[Operation], shapes: Sequence[tuple[int, int]]) -> dict[int, Any]:
    """A view of its buffer for each state that is computed."""
    plan: Arena = arena(done, [math.prod(shape) for shape in shapes])
    buffers = [buffer(problem, numbers) for numbers in plan.buffers]
    step_of = {each.y: each.step for each in done if not each.back}
    return {
        state: buffers[index][: math.prod(shapes[step_of[state]])].reshape(shapes[step_of[state]])
        for state, index in plan.place.items()
    }


def _calls(operation: Operation, step: Step, states: dict[int, Any]) -> list[_Call]:
    """The calls of a step's layers: the first goes from x to y, and the activations overwrite y."""
    x, y = None if operation.x == DATA else states[operation.x], states[operation.y]
    calls = [_Call(layer, x if layer == step.start else y, y) for layer in range(step.start, step.stop)]
    return calls[::-1] if operation.back else calls


def _inputs(draw: Draw) -> tuple[int, int]:
    rows, units = draw.arrays["inputs"].shape
    return int(rows), int(units)
