"""How far a correct gradient may be from a reference: stated from the function alone."""

from typing import Any

import numpy as np

from gradmark.dtypes import epsilon, real_dtype
from gradmark.judging.checking.slopes import complex_slope, difference
from gradmark.judging.checking.spot import LARGE, Spot
from gradmark.measuring.norms import norm
from gradmark.random import generator

_LEAST_EXPONENT = {"bfloat16": -126, "float16": -14, "float32": -126, "float64": -1022, "longdouble": -1022}
"""Of the smallest normal number; where longdouble is float64, so is its exponent."""
ROUNDINGS = 32.0
"""Epsilons by which rounding may move each entry: sums of hundreds of terms, at three to five deviations."""
SPREADS = 12.0
"""Times the root mean square of a few samples of how a slope moves when the point is rounded differently."""
_SAMPLES = {False: 4, True: 24}
"""Samples, and how many where the first say that it is close: of 4 normal numbers the root mean square is
below 1/12 of another one once in 4000 times, of 24 never (Student's t)."""
_STATED = 2
"""Samples where evaluations are dear and no gradient hangs on it."""
_NOISES_BESIDE = 2.0
"""Times the noise of the function, beside slopes in its own precision, which show all but what saturates."""
_FEW_ROUNDINGS = 1.0
"""Epsilons by which the point moves, where slopes can be computed in its own precision."""
CANCELLED = 1 / 16
"""Of the typical size of an entry: two roundings of that, out of 32, may be in every entry."""
_LARGER = 8.0
"""The factors of a saturated gradient grow with the parameters: by 8 at the enlarged point."""
_NEAR = 2.0**-13
"""The relative change of the point that shows how the slope changes with it, where they can't."""
_DEVIATIONS = 4.0
"""Epsilons of its class that a function's rounding error of one standard deviation stands for."""


def rounding(spot: Spot, gradient_along: float) -> float:
    """What rounding each entry of a gradient does to its product with v: 32 eps ||g o v||.

    `gradient_along` is ||g o v||, of the claimed gradient: a fault adds no more than 32 eps of itself.
    """
    return ROUNDINGS * class_epsilon(spot, gradient_along) * gradient_along


def class_epsilon(spot: Spot, scale: float) -> float:
    """The epsilon of the arithmetic that the function is really computed in.

    That of its dtype, unless its measured noise is larger: relative to its value (a function computed in
    float32 inside), or to how much it changes (`scale`, times the size of the parameters) where the value is
    near zero.
    """
    own = spot.space.arrays.epsilon
    if not spot.noise_is_measured:
        return own
    value, change = spot.magnitude, scale * max(spot.sizes.values())
    return max(own, _DEVIATIONS * spot.noise / max(value, change, spot.noise))


def conditioning(spot: Spot, v: Any, reference: Any, *, closely: bool = False) -> float:
    """What rounding the point and all that follows does to the slope along `v`, however it is computed.

    Where the function carries complex numbers of its own precision: how slopes computed in it, at points a
    few roundings away, differ from the reference. Else eps times the change of the slope under relative
    changes of the point. To that the noise of the function over the size of what moves (a unit that is
    saturated has a gradient far below the rounding of what it is multiplied with), and what underflows.
    """
    spread = _spread(spot, v, reference, _SAMPLES[closely])
    return SPREADS * spread + _beside(spot, v, closely) + underflow(spot, v) + saturation(spot)


def _beside(spot: Spot, v: Any, closely: bool) -> float:
    """The noise of the function over the size of what moves.

    Beside slopes in the function's own precision a constant that is added to it counts for nothing.
    """
    level = spot.closer_noise if closely else spot.own_noise
    if spot.arithmetic.complex_own is None or not spot.complex_believed:
        return SPREADS * level / spot.size(v)
    varying = spot.space.arrays.epsilon * spot.variation
    return _NOISES_BESIDE * (min(level, varying) if np.isfinite(varying) else level) / spot.size(v)


def floor(spot: Spot, v: Any, reference: Any) -> float:
    """What `conditioning` comes to, for the statement of what would have been seen; from few samples.

    At a large point it is measured once, and taken to be the same share of the slopes everywhere.
    """
    size = float(abs(reference))
    if spot.floor is None:
        samples = _SAMPLES[False] if spot.space.size < LARGE else _STATED
        found = SPREADS * _spread(spot, v, reference, samples) + _beside(spot, v, closely=False)
        spot.floor = found / size if size else 0.0
    return spot.floor * size + saturation(spot)


def saturation(spot: Spot) -> float:
    """At a point that was made up: rounding of a gradient as large as where it was given.

    A unit that saturates here has a gradient far below the rounding of the factors that it is a product of.
    """
    return ROUNDINGS * _LARGER * spot.space.arrays.epsilon * spot.norm_elsewhere


def underflow(spot: Spot, v: Any) -> float:
    """What is lost where numbers on the way are too small for the dtype to hold with all digits."""
    own = real_dtype(spot.space.arrays.dtype)
    return 2.0 ** _LEAST_EXPONENT[own] / epsilon(own) * float(np.sum(np.abs(v)))


def _spread(spot: Spot, v: Any, reference: Any, samples: int) -> float:
    epsilon_own, own = spot.space.arrays.epsilon, spot.arithmetic.complex_own
    if own is not None and spot.complex_believed:
        points = shaken(spot, _FEW_ROUNDINGS * epsilon_own, samples)
        slopes = [complex_slope(spot, v, own, x) for x in points]
        if np.any(np.isfinite(slopes)):
            return _root_mean_square(slopes, reference)
    nearby = [difference(spot, v, x) for x in shaken(spot, _NEAR, samples)]
    return epsilon_own * _root_mean_square(nearby, reference) / _NEAR


def norm_along(gradient: Any, v: Any) -> float:
    """||g o v||, or a sixteenth of that for entries of typical size: small ones may be differences."""
    typical = float(norm(gradient) / gradient.size**0.5)
    return max(norm(gradient * v), CANCELLED * typical * norm(v))


def shaken(spot: Spot, relative: float, samples: int) -> list[Any]:
    """Points around the spot, each entry moved by up to a relative change."""
    found = []
    for index in range(samples):
        random = generator(0, "judge", 40, index)
        found.append(spot.x * (1 + relative * random.uniform(-1, 1, spot.x.size)))
    return found


def _root_mean_square(values: list[Any], reference: Any) -> float:
    off = np.array([value - reference for value in values], np.longdouble)
    off = off[np.isfinite(off)]
    return norm(off) / off.size**0.5 if off.size else 0.0
