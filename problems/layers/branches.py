"""What functions of several branches choose by: the real part of z, also where z is complex."""

from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays


def real_part(xp: Any, z: Array) -> Array:
    """The real part of `z`; a real `z` itself."""
    return xp.real(z) if xp.isdtype(z.dtype, "complex floating") else z


def positive(xp: Any, z: Array) -> Array:
    """Where the real part is positive; NaN is not."""
    return real_part(xp, z) > 0


def of_numpy(z: Array) -> bool:
    """Whether these are real numbers of NumPy's own, through which nobody differentiates.

    Then there are ways that take a fraction of the time of a choice by a mask; of -|z|, what differentiates
    the program would have no derivative at zero.
    """
    return isinstance(z, np.ndarray) and z.dtype.kind == "f"


def of_torch(arrays: Arrays, z: Array) -> bool:
    """Whether these are real tensors of torch, whose own functions are one kernel and one node of a graph.

    That node's derivative is then torch's: of a sigmoid h (1 - h), exact to the resolution of 1.
    """
    return arrays.backend == "torch" and not arrays.xp.is_complex(z)


def minus_abs(xp: Any, z: Array) -> Array:
    """-z where the real part is positive, else z: the argument at which exp cannot overflow."""
    if of_numpy(z):
        return -np.abs(z)
    return xp.where(positive(xp, z), -z, z)


def negative_part(arrays: Arrays, z: Array) -> Array:
    """min(z, 0), where exp cannot overflow."""
    xp = arrays.xp
    if of_numpy(z):
        return np.minimum(z, 0)
    if of_torch(arrays, z):
        return z.clamp(max=0)
    return xp.where(positive(xp, z), xp.zeros_like(z), z)
