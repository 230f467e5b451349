"""Rounding that only the claimed gradient itself can show: it is computed again, with more digits.

What a gradient loses on its way (a layer norm of nearly equal numbers, say) may be far above what its point
and its function show. It is rounding, and no fault, where the same code in wider arithmetic comes to what the
reference says, and where in its own it scatters by as much as it is off when the point moves by a few
roundings (in the spirit of CESTAC; Vignes 1993). A wrong formula is wrong in all arithmetics, and it does not
scatter.
"""

import numpy as np

from gradmark.judging.checking.allowance import SPREADS, shaken
from gradmark.judging.checking.compare import Claim, Comparison
from gradmark.judging.checking.slopes import SAFETY
from gradmark.judging.checking.spot import Spot

_SHRINKS = 2.0**-8
"""What more digits may leave of a mismatch: float64 has 29 bits more than float32, longdouble 11 more."""
_SAMPLES = 8
_ROUNDINGS = 2.0
"""Epsilons by which the point moves."""


def scatter(spot: Spot, claim: Claim, found: Comparison) -> float:
    """By how much a tolerance grows for the rounding that the claim shows; 0 where it shows none."""
    own, wide = spot.arithmetic.own, spot.arithmetic.real
    v, reference = found.direction.vector, found.slope
    better = None if wide == own else claim.again(spot.x, v, wide)
    if better is None:
        return 0.0
    if not float(abs(better - reference.value)) <= SAFETY * reference.error + _SHRINKS * found.mismatch:
        return 0.0
    points = [spot.space.rounded(x) for x in shaken(spot, _ROUNDINGS * own.epsilon, _SAMPLES)]
    slopes = np.array([claim.again(x, v, own) for x in points], np.longdouble)
    return SPREADS * float(np.std(slopes)) if np.all(np.isfinite(slopes)) else 0.0
