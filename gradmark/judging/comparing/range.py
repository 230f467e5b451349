"""Where numbers leave the range of the dtype that a method claims to compute in, narrower than the problem's.

float16 has 5 bits of exponent: activations beyond 65504 are infinite in it, and those below 2^-14 have fewer
digits than its epsilon says. No method that keeps activations in it can be exact there, and none is asked.
What becomes of the deltas on the way back is the method's own affair, because it may scale them.
"""

import math

import numpy as np

from gradmark.arrays import epsilon, to_numpy
from gradmark.judging.comparing.bounds import precision
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.saturation import slopes_of
from gradmark.judging.places.sites import Site
from gradmark.measuring.norms import norm
from gradmark.passes import forward_layers
from gradmark.reference.point import widest_point

_SIDE = 0.1
"""A slope that rounding changes by more than this is on the other side of a kink."""
_RANGE = {"float16": (2.0**-14, 65504.0)}
"""The smallest normal number and the largest; bfloat16 has the range of float32."""


def out_of_range(hearing: Hearing, site: Site) -> str | None:
    """Why layers cannot be carried in the claimed dtype at this site; None where they can.

    The largest number of each layer's output must be in the range, and their root mean square.
    """
    claimed, problem = precision(hearing), hearing.problem
    if claimed == hearing.dtype and _crosses(hearing, site):
        return f"rounding to {claimed} puts units on the other side of a kink here"
    if claimed == hearing.dtype or claimed not in _RANGE or problem.layers is None:
        return None
    least, most = _RANGE[claimed]
    h = site.draw.arrays["inputs"]
    for index, named in enumerate(problem.layers):
        with np.errstate(all="ignore"):
            h = forward_layers(problem, site.parameters, site.draw, h, index, index + 1).outputs
        numbers = to_numpy(h)
        largest, size = float(np.max(np.abs(numbers))), norm(numbers) / math.sqrt(numbers.size)
        if not largest < most:
            return f"`{named.prefix}` gives {largest:.2g} here, beyond the {most:g} of {claimed}"
        if 0 < size < least:
            return f"`{named.prefix}` gives numbers of size {size:.2g} here, and {claimed} is whole to 2^-14"
    return None


def _crosses(hearing: Hearing, site: Site) -> bool:
    """Whether the loss itself, in a dtype of 16 bits, has units on another side than in wide arithmetic."""
    problem = hearing.problem
    if problem.smoothness != "kinked" or epsilon(hearing.dtype) <= epsilon("float32"):
        return False
    wide = widest_point(problem, site.parameters, site.draw)
    own, right = (
        slopes_of(each, parameters, draw)
        for each, parameters, draw in (
            (problem, site.parameters, site.draw),
            (wide.problem, wide.parameters, wide.draw),
        )
    )
    return bool(np.any(np.abs(own - right) > _SIDE))
