"""What a random estimate is held to: its mean, and the variance and law it declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Declaration:
    """What is known beforehand of estimates of one gradient.

    `gradient` (P,) is the declared mean. `arrays` are its parts by name, as slices; parts whose own
    gradient is zero are left out. `samples` is M, the independent samples in one estimate. `variance` is
    E|g_hat - g|^2 / |g|^2, or None where nothing is declared for this loss. `degrees` is m where the law is
    the Wishart law of normal directions (`gradmark.measuring.chi_square`), else None. `slack` is how far a
    relative mean may be off because of rounding and the reference's own uncertainty.
    """

    gradient: Any
    arrays: Mapping[str, slice] = field(default_factory=dict)
    samples: float = 1.0
    variance: float | None = None
    degrees: float | None = None
    slack: float = 0.0
