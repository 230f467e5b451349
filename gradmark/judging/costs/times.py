"""A method's times at several sizes, interleaved; and beside those of the loss for few and many rows."""

from collections.abc import Sequence
from typing import Any

from gradmark.judging.costs.growth import Costs
from gradmark.judging.costs.hidden import Rows
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.process import watch
from gradmark.measuring.time import interleaved
from gradmark.parameters import size

_FEWER = 16
"""A sixteenth of the rows: a pass over them is mostly fixed cost."""
_ROUNDS = {0: 9, 1: 25}
"""The second attempt is made because the first was suspicious."""


def times(hearings: Sequence[Hearing], attempt: int, budget: float) -> Costs:
    """Seconds of a call at each size: the least over the rounds, for what disturbs a call makes it longer."""
    try:
        found = _least([_call(hearing) for hearing in hearings], hearings, budget, _ROUNDS[attempt])
    except Exception as error:  # a method may raise anything
        raise MethodError(error, hearings[0].where, hearings[0].dtype) from error
    return Costs(tuple(float(size(hearing.problem.parameters)) for hearing in hearings), tuple(found))


def rows(hearing: Hearing, stated: float, budget: float) -> Rows:
    """Times with a few rows of the draw and with all: the least of two calls, and of some losses."""
    draw = hearing.problem.default_draw
    few = draw.rows(0, max(1, draw.count // _FEWER))
    method = [
        min(hearing.call(seed=hearing.seed, draw=each).seconds for _ in range(2)) for each in (few, draw)
    ]
    problem, parameters = hearing.problem, hearing.problem.parameters
    losses = [lambda: problem.loss(parameters, few), lambda: problem.loss(parameters, draw)]
    return Rows(float(size(parameters)), stated, *method, *_least(losses, [hearing], budget, _ROUNDS[0]))


def _least(calls: list[Any], hearings: Sequence[Hearing], budget: float, rounds: int) -> list[float]:
    named = {str(index): call for index, call in enumerate(calls)}
    synchronize = hearings[0].problem.arrays.synchronize
    found = interleaved(named, synchronize=synchronize, budget=budget, most_rounds=rounds)
    return [min(timing.seconds) for timing in found.values()]


def _call(hearing: Hearing) -> Any:
    prepared, parameters, seed = hearing.prepared, hearing.problem.parameters, hearing.seed

    def call() -> Any:
        with watch.calling(hearing.where):
            return prepared(parameters, seed)

    return call
