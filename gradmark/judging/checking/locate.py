"""Where a gradient is wrong: the entry, by halving what moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.judging.checking.compare import Claim, Comparison, conditioned, judged
from gradmark.judging.checking.directions import Direction, single
from gradmark.judging.checking.slopes import CENTRAL, careful, quick
from gradmark.judging.checking.spot import Spot

_TRIED = 2
"""Single entries that are tried for a fault that is everywhere, before halving begins."""
_LOOK = 4
"""Halvings after which a single entry of what is left is tried: most faults are in all of it by then."""
_SAME = 1e-3
"""How closely the ratios of mismatches and those of an entry of directions agree, if it is alone."""


@dataclass(frozen=True)
class Located:
    """A comparison that fails along as few entries as can be told, and the entry if it is one."""

    comparison: Comparison
    entry: int | None


def locate(spot: Spot, claim: Claim, failing: Comparison, others: Sequence[Comparison]) -> Located:
    """The entry where the claim is off, or the fewest entries that show it.

    Two mismatches along directions through everything name the entry, if it is only one. Else the entry of
    the largest claim is tried, and then halves: the mismatch of one half is that of the whole less the
    other's.
    """
    for entry in _guesses(spot, claim, failing, others):
        found = _at(spot, claim, single(spot.space, entry))
        if not found.agrees:
            return Located(found, entry)
    return _halved(spot, claim, failing)


def _guesses(spot: Spot, claim: Claim, failing: Comparison, others: Sequence[Comparison]) -> list[int]:
    moved = np.flatnonzero(failing.direction.vector)
    if len(moved) == 1:
        return []
    guesses = _alone(failing, [other for other in others if other.direction is not failing.direction])
    if claim.gradient is not None:
        guesses.append(int(moved[np.argmax(np.abs(claim.gradient[moved]))]))
    guesses += [int(moved[len(moved) * part // (1 + _TRIED)]) for part in range(1, 1 + _TRIED)]
    return list(dict.fromkeys(guesses))


def _alone(one: Comparison, others: Sequence[Comparison]) -> list[int]:
    """The only entry whose shares in all directions are those of their mismatches, if there is one."""
    v, first = one.direction.vector, one.claimed - one.slope.value
    off = np.zeros(v.size)
    for other in others:
        w, second = other.direction.vector, other.claimed - other.slope.value
        with np.errstate(all="ignore"):
            apart = np.abs(w * first - v * second) / (np.abs(w * first) + np.abs(v * second))
        off = np.maximum(off, np.where(np.isfinite(apart), apart, np.inf).astype(float))
    best = int(np.argmin(off))
    return [best] if others and off[best] < _SAME else []


def _halved(spot: Spot, claim: Claim, failing: Comparison) -> Located:
    current, signed, halvings = failing, failing.claimed - failing.slope.value, 0
    while len(moved := np.flatnonzero(current.direction.vector)) > 1:
        left, right = (_part(current.direction, half) for half in np.array_split(moved, 2))
        found = _quick(spot, claim, left)
        here = found.claimed - found.slope.value
        if abs(signed - here) > abs(here):
            rest = signed - here
            found, here = _of_the_rest(claim, right, found, rest), rest
        if not abs(here) > found.tolerance:
            break
        current, signed, halvings = found, here, halvings + 1
        if halvings % _LOOK == 0 and (lucky := _largest(spot, claim, current.direction.vector)) is not None:
            return lucky
    # What was left over by subtraction is no reference: it is looked at anew.
    final = _at(spot, claim, current.direction)
    return Located(final, int(moved[0]) if len(moved) == 1 else None)


def _largest(spot: Spot, claim: Claim, v: Any) -> Located | None:
    """The entry of the largest claim among those that move, if that is wrong; None without a gradient."""
    if claim.gradient is None:
        return None
    entry = int(np.argmax(np.abs(claim.gradient) * (v != 0)))
    found = _at(spot, claim, single(spot.space, entry))
    return None if found.agrees else Located(found, entry)


def _of_the_rest(claim: Claim, right: Direction, left: Comparison, rest: Any) -> Comparison:
    claimed = claim.slope(right.vector)
    slope = replace(left.slope, value=claimed - rest)
    return Comparison(right, claimed, slope, left.tolerance)


def _quick(spot: Spot, claim: Claim, direction: Direction) -> Comparison:
    return judged(spot, claim, direction, quick(spot, direction.vector))


def _at(spot: Spot, claim: Claim, direction: Direction) -> Comparison:
    found = _quick(spot, claim, direction)
    if found.agrees:
        return found
    if found.slope.source == CENTRAL:
        found = judged(spot, claim, direction, careful(spot, direction.vector))
    return found if found.agrees else conditioned(spot, claim, found)


def _part(direction: Direction, entries: Any) -> Direction:
    vector = np.zeros_like(direction.vector)
    vector[entries] = direction.vector[entries]
    return Direction(vector, f"{len(entries)} entries")
