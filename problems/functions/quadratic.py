"""An ill-conditioned quadratic, turned so that its axes are not the coordinates."""

from typing import Any

from gradmark.arrays import Array
from gradmark.vector_problem import vector_problem


def _spectrum(xp: Any, x: Array, condition: float) -> Array:
    """Eigenvalues from 1 to 1/condition, geometrically spaced."""
    index = xp.cumulative_sum(xp.ones_like(x), axis=-1) - 1
    return condition ** (-index / max(x.shape[-1] - 1, 1))


def _reflected(xp: Any, x: Array) -> Array:
    """H x with the Householder reflection H = I - 2/P 1 1^T, its own inverse."""
    return x - 2 * xp.mean(x, axis=-1, keepdims=True)


def _gradient(xp: Any, x: Array, condition: float) -> Array:
    return _reflected(xp, _spectrum(xp, x, condition) * _reflected(xp, x))


@vector_problem(start=lambda random, size: random.standard_normal(size), gradient=_gradient)
def quadratic(xp: Any, x: Array, condition: float = 1e4) -> Array:
    """f(x) = 1/2 (Hx)^T D (Hx), with condition number `condition`; gradient H D H x."""
    turned = _reflected(xp, x)
    return 0.5 * xp.sum(_spectrum(xp, x, condition) * turned * turned, axis=-1)
