"""Activation functions that jump: their derivative is zero wherever there is one, and a finite change is not.

They are apart from `nonlinearities`, from which they differ in all that is asked of a derivative. No method
that differentiates can train what stands before them.
"""

from typing import Any

from gradmark.arrays import Array, Arrays
from problems.layers.branches import of_numpy, positive, real_part
from problems.layers.differences import DIFFERENCES as SMOOTH_DIFFERENCES
from problems.layers.differences import Difference
from problems.layers.nonlinearities import NONLINEARITIES, Nonlinearity


def _sign(arrays: Arrays, z: Array) -> Array:
    """1, -1, or 0 at 0; NaN stays NaN. Connected with z, so that a graph has a derivative: of zero."""
    xp: Any = arrays.xp
    if of_numpy(z):
        return xp.sign(z)
    zero = 0 * z
    negative = xp.where(real_part(xp, z) < 0, zero - 1, zero)
    return xp.where(positive(xp, z), zero + 1, negative)


def _sign_derivative(arrays: Arrays, z: Array, h: Array) -> Array:
    return 0 * h


def _sign_difference(arrays: Arrays, z: Array, d: Array) -> Array:
    """0, 1 or 2 up or down: nothing cancels in the subtraction."""
    return _sign(arrays, z + d) - _sign(arrays, z)


JUMPING = {"sign": Nonlinearity(_sign, _sign_derivative, "discontinuous", from_value=True)}
ACTIVATIONS = {**NONLINEARITIES, **JUMPING}
"""Every activation function there is, by name."""
DIFFERENCES: dict[str, Difference] = {**SMOOTH_DIFFERENCES, "sign": _sign_difference}
"""Their finite changes."""
