"""Rounding that only the claimed gradient itself can show: it is computed again, with more digits.

What a gradient loses on its way may be far above what its point and its function show: a layer norm takes
differences of nearly equal numbers, and 1 - tanh^2 of a saturated unit is all rounding. It is no fault where
the same code in wider arithmetic comes to what the reference says (in the spirit of CESTAC; Vignes 1993): a
wrong formula is wrong in all arithmetics, and a gradient that is rounded to float32 inside stays so.
"""

from gradmark.judging.checking.compare import Claim, Comparison
from gradmark.judging.checking.slopes import SAFETY
from gradmark.judging.checking.spot import Spot
from gradmark.measuring.norms import norm

_MAGNIFIED = 2.0**14
"""Epsilons of the gradient's 2-norm up to which a mismatch is taken for rounding.

Differences of the function as a gradient gain from more digits too. They are off by more: the best by
epsilon^(2/3), which is 165,000 epsilons of float64."""
_UNTOLD = 2.0**-20
"""Of the gradient's 2-norm: a saturated layer norm of two units leaves eight digits of the sixteen."""
_SHRINKS = 2.0**-8
"""What more digits may leave of a mismatch: float64 has 29 bits more than float32, longdouble 11 more."""


def excused(spot: Spot, claim: Claim, found: Comparison) -> float:
    """By how much a tolerance grows for rounding that vanishes with more digits; 0 where it doesn't."""
    own, wide, v = spot.arithmetic.own, spot.arithmetic.real, found.direction.vector
    if wide == own or claim.gradient is None:
        return 0.0
    if found.mismatch > _MAGNIFIED * own.epsilon * max(norm(claim.gradient), spot.norm_elsewhere):
        return 0.0
    better = claim.again(spot.x, v, wide)
    # Its result may have been rounded to the dtype of the point, if nothing before was.
    left = SAFETY * found.slope.error + _SHRINKS * found.mismatch + own.epsilon * claim.along(v)
    return found.mismatch if better is not None and float(abs(better - found.slope.value)) <= left else 0.0


def beyond_telling(spot: Spot, claim: Claim, found: Comparison) -> bool:
    """Whether a small mismatch at a made-up point may be rounding, and nothing could show that it is.

    So it is where the function carries neither more digits nor complex numbers. Faults show elsewhere too.
    """
    if spot.arithmetic.real != spot.arithmetic.own or spot.complex_believed or claim.gradient is None:
        return False
    return found.mismatch <= _UNTOLD * min(spot.norm_elsewhere, norm(claim.gradient))
