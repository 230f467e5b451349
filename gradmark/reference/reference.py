"""What a reference is: a gradient that states how far it may itself be from the truth."""

import math
from dataclasses import dataclass, field
from typing import Any

from gradmark.claims import Reads
from gradmark.errors import UsageError
from gradmark.measuring.norms import norm


@dataclass(frozen=True)
class Reference:
    """A gradient with its own uncertainty.

    `gradient` holds NumPy arrays, longdouble where the platform has one. `uncertainty` is, for each array, an
    absolute bound on the 2-norm of its error. `reads` is what it shares with the methods it can be compared
    with: it can acquit a method only where they share nothing but the loss. `vouched_by` says which other
    computations confirmed it, along what and how closely.
    """

    gradient: dict[str, Any]
    uncertainty: dict[str, float]
    name: str
    reads: frozenset[Reads]
    vouched_by: tuple[str, ...] = field(default=())

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

    def independent_of(self, reads: frozenset[Reads]) -> bool:
        """Whether a method that reads `reads` shares nothing with this reference but the loss."""
        return not (self.reads & reads) - {"loss"}


class NoReference(UsageError):
    """No reference can be had here, or one that was tried cannot be trusted; the message says why."""
