"""An ill-conditioned quadratic, turned so that its axes are not the coordinates."""

import math
from typing import Any

from gradmark.arrays import Array
from gradmark.vector_function import vector_problem
from problems.layers.branches import real_part


def _spectrum(xp: Any, x: Array, condition: float) -> Array:
    """Eigenvalues from 1 to 1/condition, geometrically spaced, rounded once to the dtype of `x`."""
    ones = xp.ones_like(real_part(xp, x[(*(0,) * (x.ndim - 1), ...)]))
    # In float64, because bfloat16 cannot count beyond 256.
    index = xp.cumulative_sum(ones, axis=-1, dtype=xp.float64) - 1
    return xp.astype(xp.exp(index * (-math.log(condition) / max(x.shape[-1] - 1, 1))), ones.dtype)


def _reflected(xp: Any, x: Array) -> Array:
    """H x with the Householder reflection H = I - 2/P 1 1^T, its own inverse."""
    return x - 2 * xp.mean(x, axis=-1, keepdims=True)


def _gradient(xp: Any, x: Array, condition: float) -> Array:
    return _reflected(xp, _spectrum(xp, x, condition) * _reflected(xp, x))


@vector_problem(
    start=lambda random, size: random.standard_normal(size),
    gradient=_gradient,
    limits={"condition": (1.0, 1e300)},
)
def quadratic(xp: Any, x: Array, condition: float = 1e4) -> Array:
    """f(x) = 1/2 (Hx)^T D (Hx), with condition number `condition` (from 1 to 1e300); gradient H D H x.

    >>> problem = quadratic(size=3, condition=100.0)
    >>> problem.loss(problem.parameters).shape
    ()
    """
    turned = _reflected(xp, x)
    return 0.5 * xp.sum(_spectrum(xp, x, condition) * turned * turned, axis=-1)
