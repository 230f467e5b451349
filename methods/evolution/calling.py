"""What evolution strategies that read the loss alone have in common: how they are called, what they claim."""

from collections.abc import Callable
from typing import Any

from gradmark.claims import Biased, Claims, Exactness, Growth, Target
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.work import Work, counting


def prepared(problem: Problem, estimate: Callable[[Parameters, Draw, int], Parameters]) -> Prepared:
    """``estimate(point, draw, seed)`` as the function that a method prepares; its passes are counted."""

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        with counting() as work:
            result = estimate(detached(parameters), draw or problem.default_draw, seed)
        return Estimate(finished(result), None, work.total())

    return gradient


def black_box_claims(
    exactness: Exactness, target: Target, evaluations: int, shaping: str = "identity"
) -> Claims:
    """`evaluations` of the loss, O(P) memory; a shaped estimate is a direction, whatever the other is."""
    if shaping != "identity":
        exactness, target = Biased(f"{shaping} of the losses leave a direction"), Target("direction")
    return Claims(
        family="evolution",
        exactness=exactness,
        reads=frozenset({"loss"}),
        growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
        work=lambda problem: Work(forward=evaluations),
        target=target,
    )


def against_moves(problem: Problem) -> str | None:
    """Why no move may be made that has no limit, in words; None where it may."""
    if problem.bounds is None:
        return None
    return f"{problem.call.name} has bounds {problem.bounds}, and random moves know none"
