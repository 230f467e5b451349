"""The order p of an error C h^p, read off errors at many steps, with an interval that knows the law bends.

The order is a statement about h -> 0, so the fit starts at the finest steps at which rounding does not matter
and takes in coarser ones as long as they lie on one line: of log error over log step. An error that stops
falling (a wrong factor beside the truncation) shows at the fine end, the next order of the series at the
coarse.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.statistics import student_quantile

FEWEST = 3
"""Steps: two points make any line straight."""
ASYMPTOTIC = 0.1
"""Relative errors above this are left out: there the error is more than its leading term."""
CLEAR = 10.0
"""How many times its noise an error must be. The two add as squares where there are many entries: then noise
moves the logarithm by 1/200, and by 1/10 at worst."""
_STRAIGHT = 0.03
"""How far the logarithm of an error may lie from the line; noise may add to that."""
_CONFIDENCE = 0.99


@dataclass(frozen=True)
class Order:
    """The order `value`, between `low` and `high`, from the relative `errors` at `steps`, fine to coarse."""

    value: float
    low: float
    high: float
    steps: tuple[float, ...]
    errors: tuple[float, ...]

    def __str__(self) -> str:
        return (
            f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}] over {len(self.steps)} steps from "
            f"{self.steps[0]:.1e} to {self.steps[-1]:.1e}"
        )


def fit_order(steps: Any, errors: Any, noises: Any) -> Order | None:
    """The order of relative `errors` at positive `steps`, each known to `noises`; None: too few can be used.

    Used are `FEWEST` or more neighbouring steps with errors of at least `CLEAR` times the noise and at most
    `ASYMPTOTIC`. The interval is Student's, from the scatter about the line, widened on both sides by the
    difference between the slopes of its finer and its coarser half.

    >>> h = 2.0 ** -np.arange(3, 14)
    >>> order = fit_order(h, h**2, 1e-12 / h)
    >>> round(order.value, 6), len(order.steps)
    (2.0, 10)
    """
    h, e, noise = _fine_to_coarse(steps, errors, noises)
    use = np.isfinite(e) & (e <= ASYMPTOTIC) & (e >= CLEAR * noise) & (e > 0)
    start = int(np.argmax(use))
    stop = start + int(np.argmin(np.append(use[start:], False)))
    if stop - start < FEWEST:
        return None
    x, y, slack = np.log(h[start:stop]), np.log(e[start:stop]), noise[start:stop] / e[start:stop]
    count = _straight(x, y, slack)
    value, low, high = _slope(x[:count], y[:count])
    used = slice(start, start + count)
    return Order(value, low, high, tuple(h[used].tolist()), tuple(e[used].tolist()))


def _fine_to_coarse(steps: Any, errors: Any, noises: Any) -> tuple[Any, Any, Any]:
    h, e, noise = (np.asarray(each, np.float64) for each in (steps, errors, noises))
    order = np.argsort(h)
    return h[order], e[order], noise[order]


def _straight(x: Any, y: Any, slack: Any) -> int:
    """How many points from the finest on lie on one line."""
    count = FEWEST
    while count < x.size:
        more = slice(0, count + 1)
        line = np.polyfit(x[more], y[more], 1)
        if np.any(np.abs(y[more] - np.polyval(line, x[more])) > _STRAIGHT + slack[more]):
            break
        count += 1
    return count


def _slope(x: Any, y: Any) -> tuple[float, float, float]:
    line = np.polyfit(x, y, 1)
    residuals, freedom = y - np.polyval(line, x), x.size - 2
    spread = math.sqrt(float(np.sum(residuals**2)) / freedom / float(np.sum((x - x.mean()) ** 2)))
    # The two halves share a point where they would be too short.
    half = (x.size + 1) // 2
    fine, coarse = (
        float(np.polyfit(x[part], y[part], 1)[0]) for part in (slice(0, half), slice(-half, None))
    )
    wide = student_quantile(_CONFIDENCE, freedom) * spread + abs(fine - coarse)
    return float(line[0]), float(line[0]) - wide, float(line[0]) + wide
