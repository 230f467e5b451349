"""torch.autograd in float64, for problems that cannot leave torch: exact to rounding, if the graph is right.

It repeats what a custom backward in the module does; until another reference vouches for it (see
`gradmark.reference.vouch`) it is no evidence against that.
"""

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Reads
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding

NAME = "torch graph"
READS: frozenset[Reads] = frozenset({"torch graph"})


def impossible(point: Point) -> str | None:
    """It needs torch tensors."""
    return None if point.problem.arrays.backend == "torch" else "the problem is not on torch"


def estimate(point: Point) -> Computed:
    """One graph and one pass back; its uncertainty is rounding."""
    return with_rounding(_gradient, point)


def _gradient(point: Point) -> Numbers:
    import torch

    leaves = {name: array.detach().requires_grad_(True) for name, array in point.parameters.items()}
    value = point.problem.loss(leaves, point.draw)
    found = torch.autograd.grad(value, list(leaves.values()), materialize_grads=True, allow_unused=True)
    return {name: to_numpy(a).astype(np.longdouble) for name, a in zip(leaves, found, strict=True)}
