"""Whether the slopes on the two sides of a point differ, from differences over a ladder of steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.reference.ladder import RATIO

_SIGNIFICANT = 8.0
"""Standard deviations of noise that are no sign of anything."""
_RESOLVED = 4.0
"""Times that, for a jump to be measured."""
_SAME = 0.25
"""By how much the jump may change from step to step: of a smooth function it shrinks 64 times."""


@dataclass(frozen=True)
class Jump:
    """How much the slopes on the two sides of a kink differ; 0 where there is none within the steps.

    `crossed` counts the steps that reach beyond a kink beside the point; 0 where it is at the point.
    """

    size: float = 0.0
    crossed: int = 0


def jump(plus: Any, minus: Any, centre: Any, steps: Any, noises: Any) -> Jump:
    """|f'(x+) - f'(x-)|, from values at x + h, x - h and x, each of shape (steps,).

    (f(x+h) + f(x-h) - 2 f(x)) / h = jump + h f'' + O(h^3), extrapolated to h -> 0 from each step and the
    next. `noises` are standard deviations of a value over h. Two steps that follow each other must show the
    same jump; where a finer one excludes it, the kink is beside the point, and the steps to there cross it.
    """
    with np.errstate(all="ignore"):
        sides = (plus + minus - 2 * centre) / steps
        limits = np.abs((RATIO * sides[1:] - sides[:-1]) / (RATIO - 1)).astype(float)
    noise = _SIGNIFICANT * np.asarray(noises, float)[1:]
    seen = np.isfinite(limits) & (limits > _RESOLVED * noise)
    for fine in range(len(limits) - 1, 0, -1):
        here = limits[fine]
        if seen[fine] and seen[fine - 1] and abs(here - limits[fine - 1]) <= _SAME * here:
            excluded = np.flatnonzero((limits + noise)[fine + 1 :] < here / 2)
            return Jump(float(here), fine + 2 + int(excluded[0]) if excluded.size else 0)
    return Jump()
