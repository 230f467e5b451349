"""How far a correct answer may be from the reference: what dtype, declared order and reference allow.

The bound comes from the loss and the reference alone; the method's own answers have no part in it.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.claims import Truncated
from gradmark.dtypes import DTYPES
from gradmark.judging.comparing.truncation import Allowance, allowance
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import Site
from gradmark.measuring.norms import norm
from gradmark.reference import Reference

ROUNDING = 2.0
"""Times what rounding did to the reference, carried over to the dtype. Measured over the built-in exact
methods in float64, float32 and bfloat16 on three backends, 6300 arrays: the worst error was 0.46 times that,
so that a correct method lies at a quarter of the bound."""
_KNOWN = {name for names in DTYPES.values() for name in names}


@dataclass(frozen=True)
class Bound:
    """A bound on the 2-norm of the error of each array, and in words what it is made of."""

    arrays: dict[str, float]
    words: str

    @property
    def total(self) -> float:
        """The bound on the whole gradient's error."""
        return math.hypot(*self.arrays.values())

    def detectable(self, reference: Reference) -> float | None:
        """The relative size of the smallest fault that is sure to be seen; None where the gradient is zero.

        Twice the bound, because a correct part may lie at the bound on the other side.
        """
        size = norm(np.array([norm(array) for array in reference.gradient.values()]))
        return 2 * self.total / size if size > 0 else None


def bound_at(hearing: Hearing, site: Site, reference: Reference) -> Bound:
    """The bound for the method's claims at `site`."""
    rounding = rounding_bound(reference, hearing.dtype, hearing.method.claims.precision)
    exactness = hearing.method.claims.exactness
    if not isinstance(exactness, Truncated):
        return Bound(rounding, f"rounding in {precision(hearing)}")
    steps = allowance(hearing, site, reference, exactness)
    return Bound(
        {name: rounding[name] + _of_steps(steps, name) for name in rounding},
        f"truncation of order {exactness.order} and rounding of the loss in {precision(hearing)}",
    )


def rounding_bound(reference: Reference, dtype: str, declared: str = "problem") -> dict[str, float]:
    """What rounding may do, in the coarser of `dtype` and the `declared` precision, for each array."""
    wide = declared in _KNOWN and epsilon(declared) < epsilon(dtype)
    inside = declared if declared in _KNOWN else dtype
    found = {
        name: ROUNDING * bound + reference.uncertainty[name]
        for name, bound in reference.rounding_in(inside).items()
    }
    if wide:  # computed in more digits, and the result rounded once
        return {name: found[name] + epsilon(dtype) * norm(reference.gradient[name]) for name in found}
    return found


def precision(hearing: Hearing) -> str:
    """The dtype that the answer is claimed to be right in: the coarser of the problem's and the declared."""
    declared = hearing.method.claims.precision
    names = [hearing.dtype, declared] if declared in _KNOWN else [hearing.dtype]
    return max(names, key=epsilon)


def _of_steps(steps: Allowance, name: str) -> Any:
    return norm(steps.truncation[name]) + norm(steps.rounding[name])
