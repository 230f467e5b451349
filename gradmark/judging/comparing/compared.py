"""A gradient beside a reference: the one rule by which answers of methods, and of impostors, are judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.comparing.bounds import Bound
from gradmark.measuring.norms import norm
from gradmark.reference import Reference


@dataclass(frozen=True)
class Worst:
    """The array that is furthest from the reference, in units of what is allowed, and its worst entry.

    `ratio` is error / allowed: above 1 (or not a number's) the gradient is wrong.
    """

    array: str
    index: tuple[int, ...]
    found: float
    expected: float
    error: float
    allowed: float

    @property
    def ratio(self) -> float:
        """error / allowed; 0 for an error of zero, infinite for a gradient that is not finite."""
        if self.error == 0:
            return 0.0
        return self.error / self.allowed if math.isfinite(self.error) and self.allowed > 0 else math.inf

    @property
    def wrong(self) -> bool:
        """Whether the error is more than is allowed."""
        return self.ratio > 1


def compared(gradient: Mapping[str, Any], reference: Reference, bound: Bound) -> Worst:
    """The worst array of `gradient`: each is judged on its own norm, so that small ones are not drowned.

    The total needs no look of its own: where no array exceeds its bound, the total cannot exceed theirs.
    """
    found = [_worst(name, gradient[name], reference, bound) for name in reference.gradient]
    return max(found, key=lambda each: each.ratio)


def fits(gradient: Mapping[str, Any], reference: Reference) -> bool:
    """Whether names and shapes are those of the reference; where not, the contract says what is wrong."""
    return set(gradient) == set(reference.gradient) and all(
        np.shape(gradient[name]) == array.shape and np.asarray(gradient[name]).dtype.kind in "fiu"
        for name, array in reference.gradient.items()
    )


def _worst(name: str, array: Any, reference: Reference, bound: Bound) -> Worst:
    expected = reference.gradient[name]
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(array.astype(np.longdouble) - expected)
    # argmax takes a NaN for the largest, and so finds it.
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(difference)), difference.shape))
    found = float(array[index]), float(expected[index])
    return Worst(name, index, *found, error=norm(difference), allowed=bound.arrays[name])
