"""What is said where a step leaves the domain of a loss, beyond which it is not a number."""

from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Problem

EDGE = "give a smaller `step=` or the `bounds` of its domain, or use adaptive_difference"


def check_inside(problem: Problem, point: Parameters, draw: Draw, name: str, difference: Array) -> None:
    """Raise `UsageError` where a `difference` of losses is not finite, and the loss at the point is."""
    xp: Any = problem.arrays.xp
    if problem.arrays.device == "meta":  # which has no numbers
        return
    if not bool(xp.all(xp.isfinite(difference))) and bool(xp.isfinite(problem.loss(point, draw))):
        raise UsageError(beside(name, EDGE))


def beside(name: str, what: str) -> str:
    """The sentence, with `what` to do."""
    return f"the loss is finite at the point and not a step beside it, along an entry of `{name}`: {what}."
