"""A gradient as what is checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.allowance import norm_along
from gradmark.judging.checking.claimed import Claimed
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.directions import through_all
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Objective, Raw
from gradmark.judging.checking.same_again import Doubt, doubts
from gradmark.judging.checking.space import Space
from gradmark.measuring.norms import norm

GRANTED = 5.0
"""Deviations that the product of a granted error with a random direction may have: one in two million."""


@dataclass(frozen=True)
class GradientClaim:
    """A claimed gradient at a point, flat, longdouble."""

    gradient: Any
    computed: Callable[[Any, Arrays], Any]
    """The gradient at another point and in another arithmetic, flat; None where that can't be."""
    off: float = 0.0
    """What is granted, whatever the direction."""

    def granted(self, v: Any) -> float:
        """What the product with v may be off by for the digits that were asked for."""
        return self.off

    def slope(self, v: Any) -> Any:
        """g . v, summed in longdouble."""
        return np.sum(self.gradient * v)

    def along(self, v: Any) -> float:
        """||g o v||."""
        return norm_along(self.gradient, v)

    def again(self, x: Any, v: Any, arrays: Arrays) -> Any:
        """The slope along v at another point, computed in another arithmetic; None where that can't be."""
        gradient = self.computed(x, arrays)
        return None if gradient is None else np.sum(gradient * v)


class GradientSide:
    """``gradient(x)`` as the gradient of ``function(x)``."""

    def __init__(
        self, function: Callable[[Any], Any], gradient: Callable[[Any], Any], space: Space, meter: Meter,
        reduced: Callable[[Any], Raw], digits: float | None, seed: int,
    ) -> None:  # fmt: skip
        self.claimed = Claimed(gradient, space, meter)
        self._objective = Objective(function, space, meter, reduced)
        self.space, self.digits, self.seed = space, digits, seed

    def objective(self, point: int) -> Objective:
        """The function, at all points the same."""
        return self._objective

    def claim(self, point: int, x: Any) -> Claim:
        """The gradient there."""
        return claim_of(self.claimed(x), self.claimed.in_arithmetic, self.digits)

    def contract(self, claim: Claim, x: Any) -> list[Doubt]:
        """The same again, and for arrays that are not contiguous."""
        v = through_all(self.space, self.seed, 0)[0].vector
        return doubts(self.claimed, claim.gradient, x, v, v)

    def code(self, given: str) -> str:
        """The call that finds it again: everything random in it follows from its seed."""
        return f"gradmark.check_gradient(function, gradient, at, {given})"


def claim_of(gradient: Any, computed: Callable[[Any, Arrays], Any], digits: float | None) -> GradientClaim:
    """A claim whose error may be 10^-digits of its 2-norm."""
    off = 0.0 if digits is None else GRANTED * 10.0**-digits * norm(gradient)
    return GradientClaim(gradient, computed, off)
