"""A schedule followed by the layers' own passes, on every backend.

A pullback needs what the forward pass of its layer saved, so every reversal runs its steps again, the last
one too.
"""

from collections.abc import Sequence
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.buffers import no_graph
from methods.reverse.checkpointing.actions import Advance, Restore, Reverse, Schedule, Store, runs
from methods.reverse.checkpointing.steps import Step


def prepare_portable(problem: Problem, schedule: Schedule, steps: Sequence[Step]) -> Prepared:
    """The prepared function."""
    without_graph = no_graph(problem)
    forward = forward_passes(schedule, steps)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        with without_graph():
            value, found = _followed(problem, parameters, draw, schedule, steps)
        rows = share_of_rows(problem, draw)
        work = Work(forward=forward * rows, pullback=rows)
        count(forward=work.forward, pullback=work.pullback)
        return Estimate({name: found[name] for name in parameters}, value, work)

    return gradient


def forward_passes(schedule: Schedule, steps: Sequence[Step]) -> float:
    """All steps that are run forward, by their costs, as a multiple of one forward pass."""
    run = sum(each.cost for start, stop in runs(schedule) for each in steps[start:stop])
    return run / sum(each.cost for each in steps)


def _followed(
    problem: Problem, parameters: Parameters, draw: Draw, schedule: Schedule, steps: Sequence[Step]
) -> tuple[Array, dict[str, Array]]:
    """The loss and its gradient."""
    criterion: Any = problem.criterion
    h = draw.arrays.get("inputs")
    stored, gradient = {0: h}, dict[str, Array]()
    value = delta = None
    for action in schedule:
        match action:
            case Advance(start, stop):
                for step in steps[start:stop]:  # one by one, so that no more than one step's is held
                    h = passes.forward_layers(problem, parameters, draw, h, step.start, step.stop).outputs
            case Store(state):
                stored[state] = h
            case Restore(state):
                h = stored[state]
            case Reverse(start, stop):
                stored.pop(start, None)  # nobody goes back here again
                first, last = steps[start].start, steps[stop - 1].stop
                trace = passes.forward_layers(problem, parameters, draw, h, first, last)
                if delta is None:
                    value = criterion.value(trace.outputs, draw)
                    delta = criterion.pullback(trace.outputs, draw)
                delta = pulled_back(problem, parameters, trace.saved, delta, gradient, first)
                del trace  # and with it what the steps saved
                h = None
    return value, gradient


def pulled_back(
    problem: Problem,
    parameters: Parameters,
    saved: Sequence[Any],
    delta: Array,
    gradient: dict[str, Array],
    first: int,
) -> Array:
    """The gradient of the input of layer `first`, from which on `saved` is; `gradient` is added to.

    Layer by layer, so that what several layers share is added up in the order of a whole pullback.
    """
    for index in reversed(range(len(saved))):
        here = first + index
        kept = saved[index : index + 1]
        delta, own = passes.pullback_layers(problem, parameters, kept, delta, here, here + 1)
        for name, array in own.items():
            gradient[name] = gradient[name] + array if name in gradient else array
    return delta
