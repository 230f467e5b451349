"""FDCORE: the step of Gill, Murray, Saunders and Wright, by a search for the condition error.

"Computing forward-difference intervals for numerical optimization" (1983), SIAM J. Sci. Stat. Comput. 4;
Gill, Murray and Wright, Practical Optimization (1981), section 8.6. The spacing of the second difference is
moved by tens until its condition error is between 1e-3 (below it truncation may be large) and 1e-1 (above it
noise is); the step is that of the least bound on the error, h |f''| / 2 + 2 e / h: 2 sqrt(e / |f''|).
"""

import math

import numpy as np

from methods.finite_difference.stencils.weights import Stencil, of_derivative
from methods.finite_difference.steps.curvature import Curvature, curvature_at
from methods.finite_difference.steps.lines import Lines

LEAST, MOST = 1e-3, 1e-1
"""The condition errors that are accepted."""
_TRIES = 6
_FACTOR = 10.0
_FIRST = 10.0
"""The first spacing in times the step that would be best if |f''| were (1 + |f|) / (1 + |x|)^2."""
_LARGEST = 1e6
"""Times their size, on which functions of smaller numbers are supposed to curve: 1, beside most numbers."""


def bounded_step(stencil: Stencil, noise: float, derivative: float) -> float:
    """The h of the least bound c h^p D + W e / h; W is the sum of the weights' sizes.

    >>> from methods.finite_difference.stencils.weights import one_sided
    >>> bounded_step(one_sided(), 1e-8, 4.0)
    0.0001
    """
    weight = float(sum(abs(weight) for weight in stencil.weights))
    ratio = weight * noise / (stencil.order * stencil.truncation * derivative)
    return float(ratio ** (1 / (stencil.order + 1)))


def searched(lines: Lines, stencil: Stencil, noise: float, value: float) -> Curvature | None:
    """The derivative of order p + 1 of the losses at the first spacing with an accepted condition error.

    `value` is the size of the losses. Where six tries find none, or the reach ends, the last is taken; None:
    no value was finite.
    """
    of = of_derivative(stencil.order + 1)
    one = min(1 / float(np.max(lines.units)), _LARGEST)
    typical = (1 + value) / (one + lines.scale) ** of.derivative
    first = _FIRST * bounded_step(stencil, noise, typical) if noise else lines.scale
    last, spacing = None, lines.spacing(first, of.reach)
    tried: set[float] = set()
    while len(tried) < _TRIES and spacing not in tried:
        tried.add(spacing)
        found = curvature_at(lines.values, of, noise, spacing)
        if math.isfinite(found.size):
            last = found
            if LEAST <= found.condition <= MOST:
                break
        wider = math.isfinite(found.size) and found.condition > MOST
        spacing = lines.spacing(spacing * _FACTOR if wider else spacing / _FACTOR, of.reach)
    if last is not None and last.condition > MOST:
        return Curvature(max(last.size, last.noise), last.noise, last.spacing)
    return last
