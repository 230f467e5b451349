"""A claimed gradient at one point: compared along all directions, accused only by two references."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from gradmark.judging.checking.acquittal import beyond_telling, excused
from gradmark.judging.checking.compare import Claim, Comparison, compare, judged
from gradmark.judging.checking.directions import Direction
from gradmark.judging.checking.locate import Located, locate
from gradmark.judging.checking.slopes import SAFETY, Slope, disagree, quick, second
from gradmark.judging.checking.spot import Spot
from gradmark.judging.checking.trouble import trouble
from gradmark.judging.checking.vouching import obstacle

_CLEARLY = 64.0
"""Times its error that a mismatch has for a second reference to settle it."""
Outcome = Literal["agrees", "wrong", "undecided", "unreliable", "kink"]


@dataclass(frozen=True)
class Examined:
    """What came of a point: the comparisons that were made, and the one that decides, with its reason."""

    outcome: Outcome
    reason: str
    comparisons: tuple[Comparison, ...]
    located: Located | None = None


def examine(
    spot: Spot,
    claim: Claim,
    through_all: list[Direction],
    more: Iterable[Direction],
    *,
    briefly: bool = False,
) -> Examined:
    """Compare along `through_all` and then `more`; the first direction that does not agree decides."""
    if found_obstacle := obstacle(spot, through_all, briefly):
        reason, kink = found_obstacle
        return Examined("kink" if kink else "unreliable", reason, ())
    made: list[Comparison] = []
    for direction in (*through_all, *more):
        found = compare(spot, claim, direction)
        if not found.agrees:
            found = replace(found, tolerance=found.tolerance + excused(spot, claim, found))
        made.append(found)
        if not found.agrees:
            rest = [judged(spot, claim, other, quick(spot, other.vector)) for other in through_all]
            return _suspect(spot, claim, found, made, rest)
    return Examined("agrees", "", tuple(made))


def _suspect(
    spot: Spot, claim: Claim, found: Comparison, made: list[Comparison], rest: list[Comparison]
) -> Examined:
    """Accuse, if a second reference says the same of the direction, or of the entry where it is worst."""
    outcome, reason = _confirmed(spot, claim, found)
    if outcome in ("unreliable", "kink"):
        return Examined(outcome, reason, tuple(made), Located(found, None))
    located = locate(spot, claim, found, rest)
    if outcome == "undecided" and located.comparison is not found:
        outcome, reason = _confirmed(spot, claim, located.comparison)
    return Examined(outcome, reason, tuple(made), located)


def _confirmed(spot: Spot, claim: Claim, found: Comparison) -> tuple[Outcome, str]:
    if found.agrees:
        return "undecided", "the mismatch cannot be told from rounding in any part of it"
    v, first = found.direction.vector, found.slope
    other = second(spot, v, first, found.mismatch / _CLEARLY)
    if other.rung is not None and other.rung.kinked:
        return "unreliable", trouble(spot, other)
    if disagree(first, other):
        return "unreliable", f"the references disagree: {_both(first, other)}; {trouble(spot, other)}"
    allowed = found.tolerance + SAFETY * other.error
    if not float(abs(found.claimed - other.value)) > allowed:
        reason = f"{other.source} cannot confirm it to {allowed:.1g}: {trouble(spot, other)}"
        return "undecided", f"{first.source} contradicts the gradient by {found.mismatch:.1g}, and {reason}"
    if beyond_telling(spot, claim, found):
        return "unreliable", "there is no wider arithmetic to tell a small fault from rounding here"
    return "wrong", f"along {found.direction.words} {_both(first, other)}"


def _both(first: Slope, other: Slope) -> str:
    if first.source == other.source:
        return f"{first.source} say {float(first.value):.9g} and, at other steps, {float(other.value):.9g}"
    return f"{first.source} says {float(first.value):.9g} and {other.source} say {float(other.value):.9g}"
