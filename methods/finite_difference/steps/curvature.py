"""The derivative that truncation is made of, measured at a spacing at which noise leaves one digit of it.

The condition error of an estimate is its noise over its size (Gill, Murray, Saunders and Wright 1983,
"Computing forward-difference intervals for numerical optimization", SIAM J. Sci. Stat. Comput. 4): the finest
spacing at which it is small errs least by its own truncation. Sizes are root mean squares over n lines: a
pooled estimate is steadier than that of a single coordinate, which may be near a zero of the derivative.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods.finite_difference.stencils.weights import Stencil
from methods.finite_difference.steps.lines import Lines

ROUNDS = 5
"""Of bisection, among 2^5 spacings."""
_MOST_NOISE = 0.1
"""The largest condition error, that of Gill et al. A tenth of a derivative is a fiftieth of a step."""


@dataclass(frozen=True)
class Curvature:
    """The root mean square of a derivative, the standard deviation of its noise, and the spacing."""

    size: float
    noise: float
    spacing: float

    @property
    def condition(self) -> float:
        """The condition error; infinite for a size of zero."""
        return self.noise / self.size if self.size else math.inf


def curvature_at(
    values: Callable[[float, tuple[int, ...]], Any], stencil: Stencil, noise: float, spacing: float
) -> Curvature:
    """The derivative of `stencil` at one spacing; `noise` is the standard deviation of a value's noise."""
    weights = np.asarray([float(weight) for weight in stencil.weights])
    sums = values(spacing, stencil.offsets) @ weights
    power = spacing**stencil.derivative
    return Curvature(float(np.sqrt(np.mean(sums**2))) / power, noise * stencil.noise / power, spacing)


def bisected(lines: Lines, stencil: Stencil, noise: float) -> Curvature | None:
    """The derivative at the finest spacing that resolves it, by `ROUNDS` of bisection.

    Where none within reach does, its noise at the coarsest bounds it. None: no value there was finite.
    """
    coarse = round(math.log2(lines.coarsest(stencil.reach)))
    fine = max(coarse - 2**ROUNDS, round(math.log2(lines.finest(0.0))))
    best: Curvature | None = None
    for _ in range(ROUNDS):
        middle = (fine + coarse) // 2
        found = curvature_at(lines.values, stencil, noise, 2.0**middle)
        clear = not found.condition > _MOST_NOISE  # not a number, beyond an edge: too far
        fine, coarse = (fine, middle) if clear else (middle, coarse)
        if math.isfinite(found.size) and (clear or best is None or best.condition > _MOST_NOISE):
            best = found
    if best is not None and best.condition > _MOST_NOISE:
        return Curvature(max(best.size, best.noise), best.noise, best.spacing)
    return best
