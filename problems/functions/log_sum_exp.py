"""log-sum-exp with inputs up to +-100, where a careless exp overflows in float32."""

from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.vector_function import vector_problem
from problems.layers.branches import real_part

_SPREAD = 100.0


def _start(random: np.random.Generator, size: int) -> Any:
    """Half of the inputs near +100, so that many gradient entries count; the rest down to -100."""
    near = _SPREAD - 4 * random.random(size)
    return np.where(np.arange(size) % 2 == 0, near, random.uniform(-_SPREAD, _SPREAD, size))


def _gradient(xp: Any, x: Array) -> Array:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


@vector_problem(start=_start, gradient=_gradient)
def log_sum_exp(xp: Any, x: Array) -> Array:
    """f(x) = m + log sum exp(x - m), m = max x; the gradient is softmax(x).

    >>> problem = log_sum_exp(size=1)
    >>> bool(problem.loss(problem.parameters) == problem.parameters["x"][0])
    True
    """
    m = xp.max(real_part(xp, x), axis=-1, keepdims=True)
    return m[..., 0] + xp.log(xp.sum(xp.exp(x - m), axis=-1))
