"""What a reference is: a gradient that states how far it may itself be from the truth."""

import math
from dataclasses import dataclass, field
from typing import Any

from gradmark.arrays import epsilon
from gradmark.claims import Reads
from gradmark.dtypes import smallest
from gradmark.errors import UsageError
from gradmark.measuring.norms import norm


@dataclass(frozen=True)
class Reference:
    """A gradient with its own uncertainty.

    `gradient` holds NumPy arrays, longdouble where the platform has one. `uncertainty` is, for each array, an
    absolute bound on the 2-norm of its error. `reads` is what it shares with the methods it can be compared
    with: it can acquit a method only where they share nothing but the loss. `vouched_by` says which other
    computations confirmed it, along what and how closely. `dtype` is the arithmetic it was computed in, and
    `rounding` what that alone may do to each array. `underflow` is what numbers that are too small for a
    dtype may do: a bound for each array in units of the dtype's smallest number.
    """

    gradient: dict[str, Any]
    uncertainty: dict[str, float]
    name: str
    reads: frozenset[Reads]
    vouched_by: tuple[str, ...] = field(default=())
    dtype: str = "longdouble"
    rounding: dict[str, float] = field(default_factory=dict)
    underflow: dict[str, float] = field(default_factory=dict)

    @property
    def total_uncertainty(self) -> float:
        """The bound on the 2-norm of the whole gradient's error: the root of the squared bounds' sum."""
        return math.hypot(*self.uncertainty.values())

    @property
    def relative_uncertainty(self) -> float:
        """`total_uncertainty` over the gradient's 2-norm; infinite for a gradient that may be zero."""
        size = math.hypot(*(norm(array) for array in self.gradient.values()))
        if size <= self.total_uncertainty:
            return 0.0 if self.total_uncertainty == 0 else math.inf
        return self.total_uncertainty / size

    def rounding_in(self, dtype: str) -> dict[str, float]:
        """A bound on the 2-norm of what rounding in `dtype` does to each array, measured and scaled.

        Rounding is proportional to the epsilon of the arithmetic, whatever the formula: a computation in
        `dtype` that is no worse conditioned than this one stays within it. Numbers below the smallest of the
        dtype are lost beside that, whatever their size.
        """
        scale, least = epsilon(dtype) / epsilon(self.dtype), smallest(dtype)
        return {
            name: scale * self.rounding.get(name, bound) + least * self.underflow.get(name, 0.0)
            for name, bound in self.uncertainty.items()
        }

    def independent_of(self, reads: frozenset[Reads]) -> bool:
        """Whether a method that reads `reads` shares nothing with this reference but the loss."""
        return not (self.reads & reads) - {"loss"}


class NoReference(UsageError):
    """No reference can be had here, or one that was tried cannot be trusted; the message says why."""
