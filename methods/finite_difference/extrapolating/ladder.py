"""Central differences over a ladder of steps, extrapolated, with an error that knows noise and kinks."""

from typing import Any

import numpy as np

from gradmark.errors import UsageError
from methods.finite_difference.evaluating.edges import beside
from methods.finite_difference.evaluating.probing import Probe, host_dtype
from methods.finite_difference.extrapolating.extrapolation import Extrapolated

_SPREAD = 2.0
"""Standard deviations of a value's noise, over the step, that an entry of the table may err by: it is at
least 0.95 of the entry's own for the ratio 2, and 95 of 100 errors are within two."""
_ONE_SIDED = 6.0
"""The same for one-sided ones: the weights of an entry of ratio 4 are 2.4 of them, all with one f(x)."""
_SIGNIFICANT = 8.0
"""Of the noise over the step, that a bend must exceed."""
_CLEAR = 1.0
"""Errors of its own that a jump must exceed to be one: they are twice what they seem (`extrapolation`)."""
_SHORT = 2.0
"""Errors of its own that a jump may fall short by: far from the point a kink seems to bend less than it
shifts the slopes."""
_FEWEST = 3
"""Steps that tell a cusp from a smooth function that is even about the point."""
_GROWN = 2.0
"""A coordinate stops where its error is so many times the best (Ridders; Numerical Recipes, section 5.7)."""


class Ladder:
    """Differences of one array's coordinates over a ladder of steps, and what they say.

    With `sides` (1 or -1 for each coordinate) they are one-sided; else central, and the bends
    f(x + h) + f(x - h) - 2 f(x) over h have a limit too: the jump between the slopes on the two sides, which
    is zero unless there is a kink. `centre` is the loss at the point, `noise` its noise.
    """

    def __init__(self, probe: Probe, centre: Any, noise: float, ratio: float, sides: Any = None) -> None:
        number, dtype = probe.x.size, host_dtype(probe.problem.arrays)
        self.probe, self.centre, self.noise, self.ratio, self.sides = probe, centre, noise, ratio, sides
        power = 2 if sides is None else 1
        self.slopes = Extrapolated(number, ratio, power, power, dtype)
        self.jumps = Extrapolated(number, ratio, 1, 2, dtype)
        self._rungs = np.zeros(number, int)
        self._bend = np.full(number, np.nan, dtype)
        self._first, self._last = np.full(number, np.nan, dtype), np.zeros(number, dtype)

    def add(self, entries: Any, h: Any) -> tuple[Any, Any]:
        """One more step, `h`, for the coordinates `entries`, lengthened where numbers are too far apart.

        It says whether the losses to the right and to the left are finite (those that were asked for).
        """
        h = np.maximum(h, self._spacing(entries))
        self._rungs[entries] += 1
        if self.sides is not None:
            return self._add_one_sided(entries, h)
        (right, above), (left, below) = self.probe(entries, h), self.probe(entries, -h)
        with np.errstate(all="ignore"):
            noise = self._noise(h, above, below)
            self.slopes.add(entries, (above - below) / (right - left), _SPREAD * noise)
            bend = (above + below - 2 * self.centre) / h
            self.jumps.add(entries, bend, 2 * _SPREAD * noise)
            self._look_for_a_cusp(entries, bend, noise)
        return np.isfinite(above), np.isfinite(below)

    def _add_one_sided(self, entries: Any, h: Any) -> tuple[Any, Any]:
        moved, there = self.probe(entries, self.sides[entries] * h)
        with np.errstate(all="ignore"):
            self.slopes.add(entries, (there - self.centre) / moved, _ONE_SIDED * self._noise(h, there))
        return np.isfinite(there), np.isfinite(there)

    def _noise(self, h: Any, *losses: Any) -> Any:
        """Over the step; where losses are larger than at the point, so is their rounding."""
        largest = np.max([np.abs(each) for each in losses], axis=0) / max(abs(self.centre), self.noise)
        return self.noise * np.maximum(1, largest) / h

    def _spacing(self, entries: Any) -> Any:
        arrays, x = self.probe.problem.arrays, self.probe.point[self.probe.name]
        least = float(arrays.xp.finfo(x.dtype).smallest_normal)
        return 2 * arrays.epsilon * np.abs(self.probe.x[entries]) + least

    def _look_for_a_cusp(self, entries: Any, bend: Any, noise: Any) -> None:
        """Keep the first and the last bend without its part in h: they fall as h^3 where f is smooth."""
        before = self._bend[entries]
        limit = np.maximum(np.abs(self.ratio * bend - before) / (self.ratio - 1) - _SIGNIFICANT * noise, 0)
        self._bend[entries] = bend
        first = self._first[entries]
        self._first[entries] = np.where(np.isfinite(first), first, limit)
        self._last[entries] = np.where(np.isfinite(limit) & np.isfinite(first), limit, 0)

    def past_its_best(self, entries: Any) -> Any:
        """Where the error of the newest row is well above the best."""
        return self.slopes.newest[entries] > _GROWN * self.slopes.error[entries]

    def settled(self, entries: Any) -> Any:
        """Where it is, or the best error is mostly noise, which shorter steps have more of."""
        noisy = self.slopes.error[entries] <= _GROWN * self.slopes.noise[entries]
        return self.past_its_best(entries) | noisy & (self._rungs[entries] >= _FEWEST)

    @property
    def value(self) -> Any:
        """The derivatives."""
        return self.slopes.value

    @property
    def error(self) -> Any:
        """Their errors: of truncation and noise, and half of a jump that is clear of its own error.

        Infinite where no steps agreed: then nothing is known.
        """
        slopes, jumps = self.slopes, self.jumps
        with np.errstate(all="ignore"):
            size = np.abs(jumps.value)
            jump = np.where(size > _CLEAR * jumps.error, size + _SHORT * jumps.error, 0)
            cusp = np.where(self._last > self._first / 2, self._last, 0)
            known = slopes.error + np.maximum(jump, cusp) / 2
            wild = (slopes.error > np.abs(slopes.value)) & (slopes.newest >= slopes.error)
            return np.where(wild & (slopes.noise < slopes.error / 4), np.inf, known)


def error_norm(errors: list[Any]) -> float:
    """The norm of the errors of all coordinates."""
    return float(np.linalg.norm([np.linalg.norm(each.astype(np.float64)) for each in errors]))


def check_found(name: str, centre: Any, slopes: Any, what: str) -> None:
    """Raise `UsageError` where a loss that is finite at the point was so nowhere that was looked."""
    if np.isfinite(centre) and not np.all(np.isfinite(slopes)):
        raise UsageError(beside(name, what))
