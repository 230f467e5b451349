"""A gradient as what is checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.checking.allowance import norm_along
from gradmark.judging.checking.claimed import BrokenContract, Claimed, strided
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Objective, Raw
from gradmark.judging.checking.space import Space
from gradmark.measuring.norms import norm

GRANTED = 5.0
"""Deviations that the product of a granted error with a random direction may have: one in two million."""
_REPEATS = 1024.0
"""Epsilons of the 2-norm by which two calls may differ: sums in another order, as on a GPU or over strides."""


@dataclass(frozen=True)
class GradientClaim:
    """A claimed gradient at a point, flat, longdouble."""

    gradient: Any
    granted: float = 0.0

    def slope(self, v: Any) -> Any:
        """g . v, summed in longdouble."""
        return np.sum(self.gradient * v)

    def along(self, v: Any) -> float:
        """||g o v||."""
        return norm_along(self.gradient, v)


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
        return claim_of(self.claimed(x).gradient, self.digits)

    def contract(self, claim: Claim, x: Any) -> None:
        """The same again, and for arrays that are not contiguous."""
        same_again(self.claimed, claim.gradient, self.space, x)

    def code(self, point: str) -> str:
        """The call that finds it again: everything random in it follows from its seed."""
        return f"gradmark.check_gradient(function, gradient, at, seed={self.seed})"


def claim_of(gradient: Any, digits: float | None) -> GradientClaim:
    """A claim whose error may be 10^-digits of its 2-norm."""
    return GradientClaim(gradient, 0.0 if digits is None else GRANTED * 10.0**-digits * norm(gradient))


def same_again(claimed: Claimed, gradient: Any, space: Space, x: Any, context: str = "") -> None:
    """Raises `BrokenContract` unless a second call, and one with strided arrays, give the same gradient."""
    _same(claimed, gradient, claimed(x).gradient, space, "repeat", "a second call at the same point")
    argument = strided(space, x)
    if argument is not None:
        found = claimed.of(argument, x).gradient
        _same(claimed, gradient, found, space, "strides", "a call with arrays that are not contiguous")


def _same(claimed: Claimed, first: Any, second: Any, space: Space, part: str, what: str) -> None:
    if np.array_equal(first, second):
        return
    off = norm(first - second)
    if off > _REPEATS * space.arrays.epsilon * norm(first):
        entry = int(np.argmax(np.abs(first - second)))
        name, index = space.place(entry)
        raise BrokenContract(
            part,
            f"{what} gives another gradient: {float(second[entry]):.9g} instead of {float(first[entry]):.9g} at "
            f"{name}{list(index) if index else ''}.",
        )
