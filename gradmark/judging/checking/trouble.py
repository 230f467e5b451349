"""Why real differences are no good at a point, in words."""

import numpy as np

from gradmark.judging.checking.slopes import Slope
from gradmark.judging.checking.spot import Spot

_NOISY = 64.0
"""Roundings of a value from which on its noise is the function's own doing."""
_SHARE = 64.0
"""Of the error of a slope: below it noise is not what the error comes from."""


def trouble(spot: Spot, slope: Slope) -> str:
    """What keeps a ladder of differences from settling: one of five reasons, each with its number."""
    rung = slope.rung
    if rung is None:
        return "domain edge: an entry lies on a bound, and differences need room on both sides"
    if rung.kinked:
        return f"a kink within the step: the slopes on its two sides differ by {rung.jump:.2g}"
    if rung.missing:
        return f"domain edge: the function is not finite at {rung.missing} of {len(rung.steps)} steps"
    value, level = spot.magnitude, spot.noise if spot.noise_is_measured else spot.measured_noise()
    if rung.noise_at_best < slope.error / _SHARE:
        return "truncation: the function oscillates inside the step, differences at two steps do not settle"
    if level > _NOISY * spot.carried(spot.arithmetic.real).epsilon * value:
        return f"noise in f: values of {value:.2g} carry noise of {level:.1g}"
    change = abs(float(rung.value)) * float(np.max(rung.steps))
    return f"rounding: the function is {value:.2g} and changes by no more than {change:.1g}"
