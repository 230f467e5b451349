"""Fifteen faults of the gradient of one smooth function, at dimensions from 3 to 1e5, in float64 and float32.

f(x) = sum of sin x_i + 1/2 sum of x_i x_(i+1), x ~ N(0, 1): whatever is missed here is missed with nothing in
the way.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Gradient, Question, wrong
from reports.scorecard.battery.faults import Fault, entry, frozen, noisy, rounded, scaled, swapped, zero


def coupled(x: Any) -> Any:
    """sum sin x_i + 1/2 sum x_i x_(i+1)."""
    return np.sum(np.sin(x)) + np.sum(x[1:] * x[:-1]) / 2


def uncoupled_gradient(x: Any) -> Any:
    """cos x_i: the coupling forgotten."""
    return np.cos(x)


def coupled_gradient(x: Any) -> Any:
    """cos x_i + (x_(i-1) + x_(i+1)) / 2."""
    g = np.cos(x)
    g[1:] += x[:-1] / 2
    g[:-1] += x[1:] / 2
    return g


def _uncoupled(truth: Gradient, at: Any) -> Gradient:
    return uncoupled_gradient


FAULTS: dict[str, tuple[str, Fault]] = {
    "zero": ("zeros", zero),
    "negated": ("the sign", scaled(-1.0)),
    "scaled-1e-2": ("times 1 + 1e-2", scaled(1 + 1e-2)),
    "scaled-1e-3": ("times 1 + 1e-3", scaled(1 + 1e-3)),
    "scaled-5e-4": ("times 1 + 5e-4", scaled(1 + 5e-4)),
    "scaled-1e-5": ("times 1 + 1e-5", scaled(1 + 1e-5)),
    "entry-zero": ("one coordinate zero", entry(lambda g: 0 * g)),
    "entry-negated": ("one coordinate negated", entry(lambda g: -g)),
    "entry-nan": ("one coordinate NaN", entry(lambda g: np.nan)),
    "entry-inf": ("one coordinate infinite", entry(lambda g: np.inf)),
    "swapped": ("two coordinates exchanged", swapped),
    "uncoupled": ("the coupling forgotten", _uncoupled),
    "float32": ("computed in float32", rounded("float32")),
    "noisy-1e-4": ("noise of 1e-4 in every coordinate", noisy(1e-4)),
    "frozen": ("frozen at the first point", frozen),
}
_ASKED = {
    (1_000, "float64"): tuple(FAULTS),
    (3, "float64"): ("entry-negated", "scaled-1e-5", "frozen"),
    (10, "float64"): ("entry-zero", "swapped", "noisy-1e-4"),
    (100_000, "float64"): ("entry-zero", "entry-nan", "swapped", "scaled-1e-5", "float32", "frozen"),
    (1_000, "float32"): ("zero", "scaled-1e-2", "scaled-1e-3", "entry-negated", "swapped", "frozen"),
}
"""Which faults at which size and dtype: all at a thousand, elsewhere those that size can hide."""


def cases() -> Iterator[Case]:
    """The faults of `FAULTS` at the sizes and dtypes of `_ASKED`."""
    for (size, dtype), names in _ASKED.items():
        for name in names:
            yield _case(name, size, dtype)


def _case(name: str, size: int, dtype: str) -> Case:
    what, fault = FAULTS[name]

    def ask() -> Question:
        x, elsewhere = np.random.default_rng(size).standard_normal((2, size)).astype(dtype)
        return Question(
            coupled,
            fault(coupled_gradient, x),
            x,
            truth=coupled_gradient,
            seen_at=elsewhere if name == "frozen" else None,
        )

    return wrong(f"smooth:{name}:{size}:{dtype}", what, ask)
