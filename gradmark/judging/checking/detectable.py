"""The smallest fault that a number of random directions would have shown."""

from collections.abc import Sequence
from math import erf, sqrt

SURE = 0.99
"""The probability with which a fault of the stated size is seen."""
_SPREAD = 13 / 12
"""The mean square of a direction's entry, whose magnitude is uniform between 1/2 and 3/2."""
_DOUBLINGS = 60


def smallest_detectable(tolerances: Sequence[float], size: float) -> float:
    """The relative 2-norm e of an error that is seen with probability 0.99, for a gradient of 2-norm `size`.

    An error vector in general position has a product with a random direction (entries of magnitude 1/2 to 3/2
    and random sign) that is normal with variance 13/12 ||e||^2. It is missed along one direction while that
    product is below twice the tolerance (the other half may be lost to what a correct gradient may be off
    by), and overlooked if all K directions miss it:

        prod_k P(|N(0, 13/12 e^2)| <= 2 tol_k) = 0.01,

    solved for e. Relative to `size`, or to the largest tolerance where the gradient is smaller than that.
    """
    if not tolerances:
        return float("inf")
    largest = max(tolerances)
    if largest == 0:
        return 0.0
    low, high = 0.0, largest
    while _missed(high, tolerances) > 1 - SURE:
        high *= 2
    for _ in range(_DOUBLINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _missed(middle, tolerances) > 1 - SURE else (low, middle)
    return high / max(size, largest)


def _missed(error: float, tolerances: Sequence[float]) -> float:
    missed = 1.0
    for tolerance in tolerances:
        missed *= erf(2 * tolerance / (error * sqrt(2 * _SPREAD))) if error else 1.0
    return missed
