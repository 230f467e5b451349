"""What is said where a step leaves the domain of a loss, beyond which it is no number, or is too short."""

from typing import Any

from gradmark.arrays import Array, dtype_name, epsilon
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


def check_digits(problem: Problem, losses: Array, step: float | None, rule: str) -> None:
    """Raise `UsageError` where a loss has fewer digits than the parameters, which a step is to suit."""
    if step is None and rule == "dtype" and epsilon(dtype_name(losses)) > problem.arrays.epsilon:
        raise UsageError(
            f"the loss comes in {dtype_name(losses)} and its parameters are {problem.arrays.dtype}, whose "
            "steps are too short for it: give rule=noise or a `step=`, or let the loss keep the dtype."
        )


def check_outputs(problem: Problem, point: Parameters, draw: Draw, difference: Array) -> None:
    """Raise `UsageError` where a `difference` of outputs is not finite, and the outputs at the point are."""
    xp: Any = problem.arrays.xp
    if problem.arrays.device == "meta":
        return
    if not bool(xp.all(xp.isfinite(difference))) and bool(xp.all(xp.isfinite(problem.outputs(point, draw)))):
        raise UsageError(
            "the outputs are finite at the point and not a step beside it: give a smaller `step=` or the "
            "`bounds` of their domain."
        )


def check_outputs_digits(problem: Problem, outputs: Array, step: float | None) -> None:
    """Raise `UsageError` where outputs have fewer digits than the parameters, which a step is to suit."""
    if step is None and epsilon(dtype_name(outputs)) > problem.arrays.epsilon:
        raise UsageError(
            f"the outputs come in {dtype_name(outputs)} and the parameters are {problem.arrays.dtype}, whose "
            "steps are too short for them: give a `step=`, or let the outputs keep the dtype."
        )
