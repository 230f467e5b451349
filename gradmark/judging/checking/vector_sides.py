"""A vjp and a jvp as what is checked: scalars are made of the outputs by random cotangents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.allowance import CANCELLED
from gradmark.judging.checking.claimed import BrokenContract, Claimed
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.directions import through_all
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Objective
from gradmark.judging.checking.outputs import Outputs
from gradmark.judging.checking.same_again import REPEATS, Doubt, doubts
from gradmark.judging.checking.sides import GRANTED, claim_of
from gradmark.judging.checking.space import Space
from gradmark.measuring.norms import norm

_SEVERAL = 2.0
"""Directions whose combination a jvp must be linear in: w + 2 v."""


class _VectorSide:
    """What a vjp and a jvp have in common."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        space: Space,
        meter: Meter,
        outputs: Outputs,
        digits: float | None,
    ) -> None:
        self.function, self.space, self.meter = function, space, meter
        self.outputs, self.digits = outputs, digits

    def objective(self, point: int) -> Objective:
        """The outputs, weighted with the cotangent of this point."""
        weights = self.outputs.cotangent(point)
        return Objective(
            self.function, self.space, self.meter, lambda value: self.outputs.weighted(weights, value)
        )


class VjpSide(_VectorSide):
    """``vjp(x, cotangent)`` as the gradient of the outputs times the cotangent."""

    def __init__(self, vjp: Callable[[Any, Any], Any], *common: Any) -> None:
        super().__init__(*common)
        self._cotangent: Any = None
        self.claimed = Claimed(lambda x: vjp(x, self._cotangent), self.space, self.meter, "vjp")

    def claim(self, point: int, x: Any) -> Claim:
        """The vjp of this point's cotangent."""
        weights = self.outputs.cotangent(point)

        def computed(x: Any, arrays: Arrays) -> Any:
            self._cotangent = self.outputs.space.built(weights, arrays)
            return self.claimed.in_arithmetic(x, arrays)

        self._cotangent = self.outputs.space.built(weights)
        return claim_of(self.claimed(x), computed, self.digits)

    def contract(self, claim: Claim, x: Any) -> list[Doubt]:
        """The same again, and for arrays that are not contiguous."""
        v = through_all(self.space, self.outputs.seed, 0)[0].vector
        return doubts(self.claimed, claim.gradient, x, v, v)

    def code(self, given: str) -> str:
        """The call that finds it again: everything random in it follows from its seed."""
        return f"gradmark.check_vjp(function, vjp, at, {given})"


@dataclass
class JvpClaim:
    """Slopes of the weighted outputs as a jvp claims them; remembered by direction."""

    side: "JvpSide"
    x: Any
    weights: Any
    typical: float
    """The 2-norm of what is summed up along a direction through everything, over that of the direction."""
    gradient: None = None
    digits: float | None = None
    _known: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    def slope(self, v: Any) -> Any:
        """sum_i w_i jvp_i."""
        return np.sum(self.tangent(v) * self.weights)

    def along(self, v: Any) -> float:
        """The 2-norm of what is summed up, or a sixteenth of that along a direction through everything."""
        return max(norm(self.tangent(v) * self.weights), CANCELLED * self.typical * norm(v))

    def granted(self, v: Any) -> float:
        """An error of the digits that were asked for, relative to the 2-norm of the jvp."""
        return 0.0 if self.digits is None else GRANTED * 10.0**-self.digits * norm(self.tangent(v))

    def again(self, x: Any, v: Any, arrays: Arrays) -> Any:
        """Not computed in other arithmetics."""
        return None

    def tangent(self, v: Any) -> Any:
        """The jvp along v, flat."""
        if id(v) not in self._known:
            self._known[id(v)] = v, self.side.tangent(self.x, v)
        return self._known[id(v)][1]


class JvpSide(_VectorSide):
    """``jvp(x, tangent)`` as the derivative of the outputs along the tangent."""

    def __init__(self, jvp: Callable[[Any, Any], Any], *common: Any) -> None:
        super().__init__(*common)
        self._tangent: Any = None
        self.claimed = Claimed(
            lambda x: jvp(x, self._tangent), self.space, self.meter, "jvp", returns=self.outputs.space
        )

    def tangent(self, x: Any, v: Any) -> Any:
        """The jvp along a flat direction, checked and flat."""
        self._tangent = self.space.built(v)
        return self.claimed(x)

    def claim(self, point: int, x: Any) -> Claim:
        """Slopes of the outputs weighted with this point's cotangent."""
        weights, v = (
            self.outputs.cotangent(point),
            through_all(self.space, self.outputs.seed, point)[0].vector,
        )
        typical = norm(self.tangent(x, v) * weights) / norm(v)
        return JvpClaim(self, x, weights, typical, digits=self.digits)

    def contract(self, claim: Claim, x: Any) -> list[Doubt]:
        """The same again, for arrays that are not contiguous, and linear in the tangent."""
        v, w, *_ = (direction.vector for direction in through_all(self.space, self.outputs.seed, 0))
        first, second = self.tangent(x, v), self.tangent(x, w)
        off = norm(self.tangent(x, v + _SEVERAL * w) - first - _SEVERAL * second)
        if off > REPEATS * self.space.arrays.epsilon * (norm(first) + _SEVERAL * norm(second)):
            raise BrokenContract("linear", f"`jvp` is not linear in the tangent: it is off by {off:.2g}.")
        self._tangent = self.space.built(v)
        return doubts(self.claimed, first, x, v, self.outputs.cotangent(0))

    def code(self, given: str) -> str:
        """The call that finds it again: everything random in it follows from its seed."""
        return f"gradmark.check_jvp(function, jvp, at, {given})"
