"""The problem's own formula for its gradient, which shares no code with its loss."""

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Reads
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding

NAME = "closed form"
READS: frozenset[Reads] = frozenset()


def impossible(point: Point) -> str | None:
    """It needs a formula."""
    return None if point.problem.closed_form is not None else "the problem states none"


def estimate(point: Point) -> Computed:
    """The formula in the point's dtype; its uncertainty is rounding."""
    return with_rounding(gradient, point)


def gradient(point: Point) -> Numbers:
    """The formula's values."""
    formula = point.problem.closed_form
    assert formula is not None
    found = formula(point.parameters, point.draw)
    return {name: to_numpy(found[name]).astype(np.longdouble) for name in point.parameters}
