"""Derivatives from differences over a ladder of steps, extrapolated, with an estimate of their error.

Each step is a quarter of the one before. Romberg's table (Richardson 1911; Ridders 1982; Numerical Recipes,
section 5.7) removes one even power of the step with each column; the entry that differs least from its
neighbours, noise included, is taken. Steps that are too large or too small for a function, or that cross a
kink, make entries that disagree, and so are never taken.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

RATIO = 4.0
STEPS = RATIO ** -np.arange(1.5, 15.5)
"""From 2^-3 to 2^-29 of the parameters' size: 14 steps."""
_COLUMNS = 6
_SAFETY = 2.0
"""The least of many estimates is on the lucky side."""
_SIGNIFICANT = 8.0
"""Standard deviations of noise that a jump between one-sided slopes must exceed at every step."""


@dataclass(frozen=True)
class Slopes:
    """Derivatives along n lines, each with shape (n,).

    `error` estimates the error of `value` where the function is smooth. `jump` is how much the slopes on the
    two sides differ in the limit of small steps, as far as it exceeds noise: 0 where it is differentiable.
    """

    value: Any
    error: Any
    jump: Any


def slopes(plus: Any, minus: Any, centre: Any, steps: Any, noise: float) -> Slopes:
    """Derivatives from values at x + h and x - h, shape (steps, n), and at x; `steps` h has shape (steps, n).

    `noise` is the standard deviation of a value's rounding, in the values' unit.
    """
    with np.errstate(all="ignore"):
        # Where values are larger than at the centre, their rounding is too.
        largest = np.maximum(np.abs(plus), np.abs(minus))
        noises = noise * np.maximum(1, largest / np.maximum(np.abs(centre), noise)) / steps
        value, error = extrapolated((plus - minus) / (2 * steps), noises)
        return Slopes(value, error, _jump((plus + minus - 2 * centre) / steps, noises))


def extrapolated(column: Any, noises: Any) -> tuple[Any, Any]:
    """The best entry of Romberg's table over the central differences `column`, for each line, and its error.

    Both have the shape (steps, n); `noises` are the standard deviations of the differences.
    """
    rows: list[tuple[Any, Any]] = []
    for power in range(1, _COLUMNS + 1):
        finer = column[1:] + (column[1:] - column[:-1]) / (RATIO ** (2 * power) - 1)
        disagreement = np.maximum(np.abs(finer - column[1:]), np.abs(finer - column[:-1]))
        rows.append((finer, _SAFETY * (disagreement + noises[power:])))
        column = finer
    entries, errors = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    errors = np.where(np.isfinite(errors) & np.isfinite(entries), errors, np.inf)
    best = np.argmin(errors, axis=0)[None]
    return np.take_along_axis(entries, best, 0)[0], np.take_along_axis(errors, best, 0)[0]


def _jump(differences: Any, noises: Any) -> Any:
    """The limit of h -> 0 of f'(x+) - f'(x-), from (f(x+h) + f(x-h) - 2 f(x)) / h = jump + h f'' + O(h^3)."""
    limits = (RATIO * differences[1:] - differences[:-1]) / (RATIO - 1)
    beyond = np.maximum(np.abs(limits) - _SIGNIFICANT * noises[1:], 0)
    return np.nanmin(np.where(np.isfinite(beyond), beyond, np.inf), axis=0)
