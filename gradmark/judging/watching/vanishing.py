"""What finite moves add to an estimate has to vanish with sigma, also where no formula says what it is.

What stays is no bias of finite moves: the losses are those of other rows, or of another point, and so is the
slope that the estimate has in the place of the gradient's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradmark.judging.verdict import Status
from gradmark.judging.watching.coupled import Coupled

_STAYS = 1.0
"""Smoothing adds sigma^2, and a slope of another loss sigma^0: this lies between."""
_MANY = 100.0
"""A difference so many times above rounding shows its order to a hundredth."""


def vanishing(
    found: Sequence[Coupled], sigmas: Sequence[float], gradient: Any, smoothness: str
) -> tuple[Status, str]:
    """Status and reason, from the coupled differences at several `sigmas`, the smallest first."""
    if smoothness != "smooth":
        return "skipped", f"the loss is {smoothness}: what finite moves add has no order."
    sizes = [float(np.linalg.norm(each.difference)) for each in found]
    if sizes[0] <= found[0].rounding:
        return "passed", "what its finite moves add is rounding."
    order = float(np.polyfit(np.log2(sigmas), np.log2(sizes), 1)[0])
    share = sizes[0] / float(np.linalg.norm(gradient))
    if order >= _STAYS:
        return "passed", f"what its finite moves add vanishes with sigma^{order:.2f}, and is {share:.1g}."
    if sizes[0] <= _MANY * found[0].rounding:
        return "skipped", f"what its finite moves add, {share:.1g} of the gradient, may be rounding."
    return (
        "failed",
        f"along its own moves its losses differ from the gradient by {share:.2g} of it, which does not "
        f"vanish with sigma (order {order:.2f}): they are not the losses of the draw and point it is given.",
    )
