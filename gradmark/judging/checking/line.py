"""Derivatives along a line by real differences: a short ladder of steps, and a long one where it fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradmark.judging.checking.kink import jump
from gradmark.reference.ladder import RATIO, slopes

_LONGEST, _SHORTEST = 2.0**-3, {True: 2.0**-37, False: 2.0**-29}
"""Of the parameters' size. Extended precision has digits for shorter steps, past nearer kinks."""
_FIRST = {True: (2.0**-15, 3), False: (2.0**-9, 4)}
"""The first step and the number of steps that a smooth function needs, by whether precision is extended:
there they may be so short that a network's kinks are seldom between them."""
GOOD = {True: 1e-9, False: 1e-7}
"""The relative error of a slope that asks for no more steps: a smooth function leaves a hundredth."""


_LEAST, _FEWEST = 2, 4
"""Steps that a ladder must have: beside a kink, and to be of any use."""
BETWEEN = 19 / 32
"""How far a step between two others is: no simple fraction of them, and as exact in binary."""
_OFF = 4.0
"""Errors by which it may be off: its noise and truncation are hardly larger than those of the other step."""


@dataclass
class Line:
    """The function along ``x + t v``: `along` of t, its value `centre` at 0, and its `noise` (one deviation).

    `unit` is the size of the parameters that move; `extended` says that the arithmetic is wider than float64.
    `shift` moves all steps, so that two lines along one direction share no evaluation.
    """

    along: Callable[[float], Any]
    centre: Any
    unit: float
    noise: float
    extended: bool
    shift: float = 1.0
    seen: dict[float, tuple[Any, Any]] = field(default_factory=dict)

    def short(self) -> "Rung":
        """The derivative by the steps that a smooth function needs."""
        first, count = _FIRST[self.extended]
        return self._over(first * RATIO ** -np.arange(count))

    def long(self) -> "Rung":
        """The derivative by all steps, of which the best are taken, and none that agree by luck."""
        steps = _all_steps(self.extended)
        found = self._over(steps)
        while self.by_luck(found) and len(steps) > _FEWEST:
            best = found.best_step()[0] / (self.unit * self.shift)
            finer = steps[steps < best * (1 - 1 / RATIO)]
            steps = finer if len(finer) >= _FEWEST else steps[-_FEWEST:]
            found = self._over(steps)
        return found

    def by_luck(self, found: "Rung") -> bool:
        """Whether the central difference at a step in between is off by more than the steps' errors.

        Steps that are multiples of each other agree on a wrong slope where a function oscillates between
        them, as a wheel seems to stand still in a film; and where it is coarser than it was taken to be.
        """
        step, off = found.best_step()
        h = np.longdouble(step * BETWEEN)
        between = (self.along(float(h)) - self.along(-float(h))) / (2 * h)
        return not float(abs(between - found.value)) <= _OFF * (found.error + off)

    def _over(self, steps: Any) -> "Rung":
        h = steps * self.unit * self.shift
        values = [self._both_sides(float(t)) for t in h]
        plus, minus = (np.asarray(side, np.longdouble)[:, None] for side in zip(*values, strict=True))
        seen = jump(plus[:, 0], minus[:, 0], self.centre, h, self.noise / h)
        beside = 0 < seen.crossed <= len(h) - _LEAST
        if beside:
            # The two sides of a kink average to differences that agree with each other only.
            h, plus, minus = (part[seen.crossed :] for part in (h, plus, minus))
        found = slopes(plus, minus, self.centre, h[:, None], self.noise)
        central = ((plus - minus)[:, 0] / (2 * h)).astype(np.longdouble)
        missing = int(np.sum(~np.isfinite(plus) | ~np.isfinite(minus)))
        size = 0.0 if beside else seen.size
        change = np.maximum(np.abs(plus - self.centre), np.abs(minus - self.centre))[:, 0].astype(float)
        return Rung(found.value[0], float(found.error[0]), size, h, central, self.noise / h, missing, change)

    def _both_sides(self, t: float) -> tuple[Any, Any]:
        if t not in self.seen:
            self.seen[t] = self.along(t), self.along(-t)
        return self.seen[t]


@dataclass(frozen=True)
class Rung:
    """What a ladder says: the derivative, its error, the jump between the two sides.

    And what it went by, for each step: the `central` difference, the standard deviation of its noise, the
    larger `change` of the value on the two sides. `missing` counts the steps that left the domain.
    """

    value: Any
    error: float
    jump: float
    steps: Any
    central: Any
    noises: Any
    missing: int
    change: Any

    def good(self, extended: bool, enough: float | None = None) -> bool:
        """Whether more steps would tell nothing that matters: the error is relatively small, or `enough`."""
        limit = GOOD[extended] * abs(float(self.value)) if enough is None else enough
        return not self.kinked and self.error <= limit

    @property
    def kinked(self) -> bool:
        """Whether the slopes on the two sides differ however small the step."""
        return self.jump > 0

    @property
    def noise_at_best(self) -> float:
        """One standard deviation of noise of the central difference that is nearest to the derivative."""
        return float(self.noises[self.steps == self.best_step()[0]][0])

    def best_step(self) -> tuple[float, float]:
        """The step whose central difference is nearest to the derivative, noise included, and its error."""
        off = np.abs((self.central - self.value).astype(float)) + self.noises
        best = int(np.argmin(np.where(np.isfinite(off), off, np.inf)))
        return float(self.steps[best]), float(off[best])


def _all_steps(extended: bool) -> Any:
    count = 1 + round(np.log(_LONGEST / _SHORTEST[extended]) / np.log(RATIO))
    return _LONGEST * RATIO ** -np.arange(count)
