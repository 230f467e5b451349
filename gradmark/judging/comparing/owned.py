"""Where a method that chooses its own steps errs more than differences must, and says so itself.

Steps that are measured may be poor at a point: then the gradient is worth as much as the error that is stated
with it, which is what is asked there. A method that is so at many points is wrong all the same, however much
it states.
"""

import numpy as np

from gradmark.claims import Truncated
from gradmark.judging.hearing import Answer, Hearing
from gradmark.measuring.norms import norm
from gradmark.reference import Reference

_OFTEN = 0.1
"""The share of the points at which it may be so, ..."""
_FEW = 2
"""... if it is so at more than this many."""


def owned(hearing: Hearing, answer: Answer, reference: Reference) -> str:
    """That a gradient, found to be off, is as far off as it says, in words; empty where it says less."""
    claimed, stated = hearing.method.claims.exactness, answer.estimate.error
    if not isinstance(claimed, Truncated) or stated is None:
        return ""
    if getattr(hearing.method, claimed.parameter, None) is not None:
        return ""
    off = norm(np.array([norm(answer.gradient[name] - array) for name, array in reference.gradient.items()]))
    return (
        f"it is off by {off:.2g} with its own steps, and says {float(stated):.2g}." if off <= stated else ""
    )


def too_often(owning: int, passing: int) -> str:
    """What is wrong with being off at so many points, in words; empty where that is rare."""
    if owning <= _FEW or owning <= _OFTEN * (owning + passing):
        return ""
    return (
        f"with its own steps it errs more than differences of its order must at {owning} of "
        f"{owning + passing} points, though it says so."
    )
