"""Rosenbrock's banana valley, chained (Rosenbrock 1960)."""

from typing import Any

from gradmark.arrays import Array
from gradmark.vector_function import vector_problem


def _gradient(xp: Any, x: Array) -> Array:
    left, right = x[..., :-1], x[..., 1:]
    valley = right - left * left
    zero = xp.zeros_like(x[..., :1])
    at_left = -400 * left * valley - 2 * (1 - left)
    return xp.concat([at_left, zero], axis=-1) + xp.concat([zero, 200 * valley], axis=-1)


@vector_problem(start=lambda random, size: random.uniform(-2, 2, size), gradient=_gradient, least_size=2)
def rosenbrock(xp: Any, x: Array) -> Array:
    """f(x) = sum over i < P of 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, for P of at least 2.

    >>> import numpy as np
    >>> problem = rosenbrock(size=4)
    >>> float(problem.loss({"x": np.ones(4)}))
    0.0
    """
    left, right = x[..., :-1], x[..., 1:]
    valley = right - left * left
    return xp.sum(100 * valley * valley + (1 - left) * (1 - left), axis=-1)
