"""A claimed gradient and the function along one direction."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from gradmark.judging.checking.allowance import conditioning, rounding
from gradmark.judging.checking.directions import Direction
from gradmark.judging.checking.spot import SAFETY, Slope, Spot


class Claim(Protocol):
    """What is claimed at a point."""

    @property
    def gradient(self) -> Any:
        """The claimed gradient, flat; None where only slopes are claimed."""

    @property
    def granted(self) -> float:
        """What the person who asked lets a slope be off by (`digits=`)."""

    def slope(self, v: Any) -> Any:
        """The claimed derivative along v, longdouble."""

    def along(self, v: Any) -> float:
        """The size of what is summed up in it: ||g o v||."""


@dataclass(frozen=True)
class Comparison:
    """The claimed slope and the reference's along a direction, and by how much they may differ."""

    direction: Direction
    claimed: Any
    slope: Slope
    tolerance: float

    @property
    def mismatch(self) -> float:
        """How much they differ."""
        return float(abs(self.claimed - self.slope.value))

    @property
    def agrees(self) -> bool:
        """Whether that is within the tolerance; not so where a number is missing."""
        return self.mismatch <= self.tolerance


def compare(spot: Spot, claim: Claim, direction: Direction) -> Comparison:
    """Look cheaply; where that does not agree, with a better reference and all that the tolerance is made of."""
    found = judged(spot, claim, direction, spot.quick(direction.vector))
    if not found.agrees and found.slope.source == "central differences":
        found = judged(spot, claim, direction, spot.careful(direction.vector))
    return found if found.agrees else conditioned(spot, claim, found)


def judged(spot: Spot, claim: Claim, direction: Direction, slope: Slope) -> Comparison:
    """The claim against a reference: the tolerance is its uncertainty and what rounding does to a sum."""
    v = direction.vector
    tolerance = SAFETY * slope.error + rounding(spot, claim.along(v)) + claim.granted
    return Comparison(direction, claim.slope(v), slope, tolerance)


def conditioned(spot: Spot, claim: Claim, found: Comparison) -> Comparison:
    """The same with what rounding does on the way, measured at points nearby."""
    more = conditioning(spot, found.direction.vector, found.slope.value)
    return replace(found, tolerance=found.tolerance + more)


def disagree(one: Slope, other: Slope) -> bool:
    """Whether two references contradict each other."""
    return not float(abs(one.value - other.value)) <= SAFETY * (one.error + other.error)
