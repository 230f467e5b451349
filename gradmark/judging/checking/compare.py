"""A claimed gradient and the function along one direction."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.allowance import conditioning, rounding
from gradmark.judging.checking.directions import Direction
from gradmark.judging.checking.slopes import CENTRAL, COMPLEX, SAFETY, Slope, careful, quick, second
from gradmark.judging.checking.spot import Spot

_CLOSE = 100.0
"""Times the tolerance: up to there its share that was measured is measured better."""


class Claim(Protocol):
    """What is claimed at a point."""

    @property
    def gradient(self) -> Any:
        """The claimed gradient, flat; None where only slopes are claimed."""

    def slope(self, v: Any) -> Any:
        """The claimed derivative along v, longdouble."""

    def along(self, v: Any) -> float:
        """The size of what is summed up in it: ||g o v||."""

    def granted(self, v: Any) -> float:
        """What the person who asked lets the slope along v be off by (`digits=`)."""

    def again(self, x: Any, v: Any, arrays: Arrays) -> Any:
        """The slope along v at another point, computed in another arithmetic; None where that can't be."""


@dataclass(frozen=True)
class Comparison:
    """The claimed slope and the reference's along a direction, and by how much they may differ.

    `conditioning` is the part of the tolerance for rounding on the way; None where it was not asked for.
    """

    direction: Direction
    claimed: Any
    slope: Slope
    tolerance: float
    conditioning: float | None = None

    @property
    def mismatch(self) -> float:
        """How much they differ."""
        return float(abs(self.claimed - self.slope.value))

    @property
    def agrees(self) -> bool:
        """Whether that is within the tolerance; not so where a number is missing."""
        return self.mismatch <= self.tolerance


def compare(spot: Spot, claim: Claim, direction: Direction) -> Comparison:
    """Look cheaply; where that does not agree, with a better reference and the whole tolerance."""
    found = judged(spot, claim, direction, quick(spot, direction.vector))
    if not found.agrees and found.slope.source == CENTRAL:
        found = judged(spot, claim, direction, careful(spot, direction.vector))
    found = found if found.agrees else conditioned(spot, claim, found)
    if found.agrees or found.slope.source == COMPLEX:
        return found
    # A ladder is lucky now and then: how far another one is off is part of its error.
    other = second(spot, direction.vector, found.slope)
    apart = float(abs(other.value - found.slope.value))
    slope = replace(found.slope, error=max(found.slope.error, apart if np.isfinite(apart) else 0.0))
    more = SAFETY * (slope.error - found.slope.error)
    return replace(found, slope=slope, tolerance=found.tolerance + more)


def judged(spot: Spot, claim: Claim, direction: Direction, slope: Slope) -> Comparison:
    """The claim against a reference: the tolerance is its uncertainty and what rounding does to a sum."""
    v = direction.vector
    tolerance = SAFETY * slope.error + rounding(spot, claim.along(v)) + claim.granted(v)
    return Comparison(direction, claim.slope(v), slope, tolerance)


def conditioned(spot: Spot, claim: Claim, found: Comparison) -> Comparison:
    """The same with what rounding does on the way, measured at points nearby."""
    v, value = found.direction.vector, found.slope.value
    more = conditioning(spot, v, value)
    tolerance = found.tolerance + more
    if tolerance < found.mismatch <= _CLOSE * tolerance:
        more = conditioning(spot, v, value, closely=True)
    return replace(found, tolerance=found.tolerance + more, conditioning=more)
