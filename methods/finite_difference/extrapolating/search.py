"""The search of `adaptive_difference`: which differences each coordinate of an array takes next."""

from typing import Any

import numpy as np

from methods.finite_difference import steps
from methods.finite_difference.evaluating.probing import Probe, sizes_of
from methods.finite_difference.extrapolating.ladder import Ladder

_RATIO = 4.0
"""Six steps then span three decades; with 2 they would span one and a half."""
_FIRST = 1 / 8
"""Of the size of the parameters: as far as most losses are like their Taylor polynomials."""
_CUT = 16.0
"""By which a step is cut where the loss is not finite, and to a quarter of the number itself at least: most
edges are at zero."""


class Search:
    """The state of one array's coordinates: the next step `h`, and the side, 0 for both."""

    def __init__(self, probe: Probe, centre: Any, noise: float) -> None:
        bounds = probe.problem.bounds
        self._x, self._h = probe.x, _FIRST * sizes_of(probe.x)
        self._sides = np.zeros(self._x.shape)
        if bounds is not None:
            inward = steps.towards(np, self._h, self._x, bounds)
            self._h = steps.within(np, self._h, self._x, bounds)
            cramped = self._h <= 0
            self._sides, self._h = (
                np.where(cramped, np.sign(inward), 0),
                np.where(cramped, np.abs(inward), self._h),
            )
        self._cuts = np.zeros(self._x.shape, int)
        self._both = Ladder(probe, centre, noise, _RATIO)
        self._single = Ladder(probe, centre, noise, _RATIO, self._sides)

    def run(self, evaluations: int) -> tuple[Any, Any]:
        """The derivatives and their errors, from at most so many evaluations for each coordinate."""
        left = np.full(self._x.shape, evaluations)
        while np.any(both := (left >= 2) & (self._sides == 0)) or np.any((left >= 1) & (self._sides != 0)):
            single = (left >= 1) & (self._sides != 0)
            for chosen, cost, add in ((both, 2, self._add_both), (single, 1, self._add_single)):
                entries = np.flatnonzero(chosen)
                if entries.size:
                    left[entries] -= cost
                    left[entries[add(entries)]] = 0
        one = self._sides != 0
        value = np.where(one, self._single.value, self._both.value)
        return value, np.where(one, self._single.error, self._both.error)

    def _add_both(self, entries: Any) -> Any:
        """Which of `entries` need no more, after one more step to both sides."""
        right, left = self._both.add(entries, self._h[entries])
        fine = right & left
        lone = entries[(right != left) & (self._cuts[entries] > 0)]
        self._sides[lone] = np.where(right, 1, -1)[np.isin(entries, lone)]
        self._shorten(entries, fine)
        return fine & self._both.settled(entries)

    def _add_single(self, entries: Any) -> Any:
        """The same for one more step to one side."""
        fine, _ = self._single.add(entries, self._h[entries])
        self._shorten(entries, fine)
        return fine & self._single.settled(entries)

    def _shorten(self, entries: Any, fine: Any) -> None:
        cut = entries[~fine]
        self._h[entries[fine]] /= _RATIO
        own = np.where(self._x[cut] == 0, np.inf, np.abs(self._x[cut]) / 4)
        self._h[cut] = np.minimum(self._h[cut] / _CUT, own)
        self._cuts[cut] += 1
