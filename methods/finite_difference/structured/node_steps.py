"""How far to move a node: by what bends behind it, and by how its number is rounded."""

from typing import Any

from gradmark.arrays import Array, Arrays
from methods.finite_difference import steps


def node_step(arrays: Arrays, z: Array, step: float | None) -> Array:
    """The central step for nodes like `z`, shape () or that of `z`: `step`, or (eps max(s, 1))^(1/3).

    s is the root mean square of `z`. The functions behind a node bend on the scale of 1, however small z is,
    so that eps / h and h^2 balance at eps^(1/3); a large z is rounded by eps s in place of eps.
    """
    if step is not None:
        return steps.wanted(arrays, z, steps.central_rule, step)
    xp: Any = arrays.xp
    s = steps.scale(xp, z)
    return steps.central_rule(arrays.epsilon) * xp.where(s > 1, s, xp.ones_like(s)) ** (1 / 3)
