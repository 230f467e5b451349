"""Hand-derived reverse mode in wide arithmetic: exact to its rounding at any P, if its formulas are right.

It repeats a layer's own `pullback`. So it says how a reverse method rounds, but a wrong formula it has too,
until another reference vouches for it (see `gradmark.reference.vouch`).
"""

import numpy as np

from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.claims import Reads
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding

NAME = "pullback"
READS: frozenset[Reads] = frozenset({"pullback"})


def impossible(point: Point) -> str | None:
    """It needs layers."""
    return None if point.problem.layers is not None else "the problem has no layers"


def estimate(point: Point) -> Computed:
    """One pass forward and one back; its uncertainty is rounding."""
    return with_rounding(gradient, point)


def gradient(point: Point) -> Numbers:
    """One pass forward and one back."""
    trace = passes.forward(point.problem, point.parameters, point.draw)
    found = passes.pullback(point.problem, point.parameters, point.draw, trace)
    return {name: to_numpy(array).astype(np.longdouble) for name, array in found.items()}
