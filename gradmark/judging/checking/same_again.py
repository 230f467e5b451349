"""A second call at the same point, and one with arrays that are not contiguous, against the first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.checking.allowance import conditioning, rounding
from gradmark.judging.checking.claimed import BrokenContract, Claimed, strided
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.slopes import quick
from gradmark.judging.checking.spot import Spot
from gradmark.measuring.norms import norm

REPEATS = 1024.0
"""Epsilons of the 2-norm by which two calls may differ: sums in another order, on a GPU or over strides."""
_TWO = 2.0
"""Both results may be off."""


@dataclass(frozen=True)
class Doubt:
    """Two results at one point that differ by more than sums in another order do where nothing cancels.

    Their slopes along `v` differ by `off`.
    """

    part: str
    reason: str
    v: Any
    off: float


def doubts(claimed: Claimed, first: Any, x: Any, v: Any, weights: Any) -> list[Doubt]:
    """What a second call and one with strided arrays give that the first did not: at most two doubts.

    `first` is the first result, flat; ``sum(weights * result)`` is the slope along `v`.
    """
    found = [_doubt(claimed, first, claimed(x), "repeat", "a second call at the same point", v, weights)]
    argument = strided(claimed.space, x)
    if argument is not None:
        again = claimed.of(argument)
        found.append(
            _doubt(claimed, first, again, "strides", "a call with arrays that are not contiguous", v, weights)
        )
    return [doubt for doubt in found if doubt is not None]


def settle(spot: Spot, claim: Claim, found: list[Doubt]) -> None:
    """Raise `BrokenContract` for a doubt that rounding does not explain, magnified as it may be here."""
    for doubt in found:
        reference = quick(spot, doubt.v).value
        allowed = rounding(spot, claim.along(doubt.v)) + conditioning(spot, doubt.v, reference, closely=True)
        if not doubt.off <= _TWO * (allowed + claim.granted(doubt.v)):
            raise BrokenContract(doubt.part, doubt.reason)


def _doubt(
    claimed: Claimed, first: Any, second: Any, part: str, what: str, v: Any, weights: Any
) -> Doubt | None:
    apart = second - first
    if norm(apart) <= REPEATS * claimed.space.arrays.epsilon * norm(first):
        return None
    entry = int(np.argmax(np.abs(apart)))
    name, index = claimed.returns.place(entry)
    reason = (
        f"{what} gives {float(second[entry]):.9g} instead of {float(first[entry]):.9g} at "
        f"{claimed.called(name)}{list(index) if index else ''}."
    )
    return Doubt(part, reason, v, float(abs(np.sum(weights * apart))))
