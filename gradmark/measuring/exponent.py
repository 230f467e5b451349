"""Whether a fitted exponent agrees with the claimed one."""

import math
from typing import Literal

Agreement = Literal["agrees", "disagrees", "can't tell", "no claim"]


def margin() -> float:
    """How far an exponent may lie from the claimed one and still agree: 0.1.

    The interval of a fit knows the scatter about the law, not that the law itself bends: leaving a cache or
    growing into a faster matrix kernel moves fitted exponents of truly linear work by several hundredths.
    """
    return 0.1


def widest() -> float:
    """The half-width from which an interval cannot tell a law from its neighbours n^(k +- 1/2): one half."""
    return 0.5


def compare(low: float, high: float, claim: float | None) -> Agreement:
    """An interval against a claimed exponent.

    It disagrees when it lies wholly outside the claim +- `margin`; else it agrees, unless it is too wide to
    mean anything (`widest`).

    >>> compare(0.97, 1.02, 1.0), compare(1.3, 1.5, 1.0), compare(0.2, 1.9, 1.0), compare(0.9, 1.0, None)
    ('agrees', 'disagrees', "can't tell", 'no claim')
    """
    if claim is None:
        return "no claim"
    if math.isnan(low) or math.isnan(high):
        return "can't tell"
    if low > claim + margin() or high < claim - margin():
        return "disagrees"
    return "agrees" if high - low < 2 * widest() else "can't tell"
