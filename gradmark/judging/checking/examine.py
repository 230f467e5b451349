"""A claimed gradient at one point: compared along all directions, accused only by two references."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gradmark.judging.checking.compare import Claim, Comparison, compare, disagree, judged
from gradmark.judging.checking.directions import Direction
from gradmark.judging.checking.locate import Located, locate
from gradmark.judging.checking.spot import SAFETY, Slope, Spot
from gradmark.judging.checking.trouble import trouble

Outcome = Literal["agrees", "wrong", "undecided", "kink"]


@dataclass(frozen=True)
class Examined:
    """What came of a point: the comparisons that were made, and the one that decides, with its reason."""

    outcome: Outcome
    reason: str
    comparisons: tuple[Comparison, ...]
    located: Located | None = None


def examine(spot: Spot, claim: Claim, through_all: list[Direction], more: Iterable[Direction]) -> Examined:
    """Compare along `through_all` and then `more`; the first direction that does not agree decides."""
    first = spot.learn(through_all[0].vector)
    if reason := _kink(spot, through_all, first):
        return Examined("kink", reason, ())
    believe_or_not(spot, through_all[0], first)
    made: list[Comparison] = []
    for direction in (*through_all, *more):
        found = compare(spot, claim, direction)
        made.append(found)
        if not found.agrees:
            rest = [compare(spot, claim, other) for other in through_all if other.through_all][:2]
            return _suspect(spot, claim, found, made, rest)
    return Examined("agrees", "", tuple(made))


def believe_or_not(spot: Spot, direction: Direction, real: Slope) -> None:
    """Drop the complex step at a point where real differences contradict it."""
    if not spot.complex_believed:
        return
    step = spot.quick(direction.vector)
    if step.source == "the complex step" and not disagree(step, real):
        return
    spot.complex_believed = not disagree(step, spot.careful(direction.vector, thorough=True))


def _kink(spot: Spot, through_all: list[Direction], first: Slope) -> str | None:
    """Why the function is not differentiable at the point; two directions and all steps must show it."""
    if first.rung is None or not first.rung.kinked:
        return None
    ladders = [spot.careful(direction.vector, thorough=True).rung for direction in through_all[:2]]
    if not all(rung is not None and rung.kinked for rung in ladders):
        return None
    rung = ladders[0]
    assert rung is not None
    return (
        f"not differentiable here: along a random direction the slope is {float(rung.value):.3g} on the average "
        f"and jumps by {rung.jump:.3g} at the point"
    )


def _suspect(
    spot: Spot, claim: Claim, found: Comparison, made: list[Comparison], rest: list[Comparison]
) -> Examined:
    """Accuse, if a second reference says the same; where the fault is dense, of the whole direction."""
    located = locate(spot, claim, found, rest)
    reasons = []
    whole = [] if located.comparison is found else [Located(found, None)]
    for suspect in (located, *whole):
        outcome, reason = _confirmed(spot, claim, suspect.comparison)
        if outcome != "undecided":
            return Examined(outcome, reason, tuple(made), suspect)
        reasons.append(reason)
    return Examined("undecided", reasons[-1], tuple(made), located)


def _confirmed(spot: Spot, claim: Claim, found: Comparison) -> tuple[Outcome, str]:
    if found.agrees:
        return "undecided", "the mismatch cannot be told from rounding in any part of it"
    v, first = found.direction.vector, found.slope
    second = spot.second(v, first)
    if second.rung is not None and second.rung.kinked:
        return "undecided", trouble(spot, second)
    if disagree(first, second):
        return "undecided", f"the references disagree: {_both(first, second)}; {trouble(spot, second)}"
    again = judged(spot, claim, found.direction, second)
    allowed = again.tolerance + max(0.0, found.tolerance - SAFETY * first.error)
    if again.mismatch <= allowed:
        reason = f"{second.source} cannot confirm it to {again.tolerance:.1g}: {trouble(spot, second)}"
        return "undecided", f"{first.source} contradicts the gradient by {found.mismatch:.1g}, and {reason}"
    return "wrong", f"{_both(first, second)}, the gradient says {float(found.claimed):.9g}"


def _both(first: Slope, second: Slope) -> str:
    if first.source == second.source:
        return f"{first.source} say {float(first.value):.9g} and, at other steps, {float(second.value):.9g}"
    return f"{first.source} says {float(first.value):.9g} and {second.source} say {float(second.value):.9g}"
