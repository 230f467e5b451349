"""A method's times at several sizes, interleaved with the plain losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradmark.judging.hearing import Hearing, MethodError
from gradmark.measuring.time import interleaved
from gradmark.parameters import size

_ROUNDS = {0: 9, 1: 25}
"""The second attempt is made because the first was suspicious."""


@dataclass(frozen=True)
class Times:
    """Seconds of a call and of a plain loss at each of `sizes`."""

    sizes: tuple[float, ...]
    method: tuple[float, ...]
    loss: tuple[float, ...]


def times(hearings: Sequence[Hearing], attempt: int, budget: float) -> Times:
    """The least time over the rounds of each: what disturbs a call only makes it longer."""
    calls: dict[str, Any] = {}
    for index, hearing in enumerate(hearings):
        calls[f"method {index}"] = _call(hearing)
        calls[f"loss {index}"] = _loss(hearing)
    try:
        found = interleaved(
            calls,
            synchronize=hearings[0].problem.arrays.synchronize,
            budget=budget,
            most_rounds=_ROUNDS[attempt],
        )
    except Exception as error:  # a method may raise anything
        raise MethodError(error, hearings[0].where, hearings[0].dtype) from error
    best = {name: min(timing.seconds) for name, timing in found.items()}
    numbers = range(len(hearings))
    return Times(
        tuple(float(size(hearing.problem.parameters)) for hearing in hearings),
        tuple(best[f"method {index}"] for index in numbers),
        tuple(best[f"loss {index}"] for index in numbers),
    )


def _call(hearing: Hearing) -> Any:
    prepared, parameters, seed = hearing.prepared, hearing.problem.parameters, hearing.seed
    return lambda: prepared(parameters, seed)


def _loss(hearing: Hearing) -> Any:
    problem = hearing.problem
    forward, parameters, draw = problem.plain_forward(), problem.parameters, problem.default_draw
    return lambda: forward(parameters, draw)
