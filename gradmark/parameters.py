"""Named parameters and one flat vector: there and back."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradmark.arrays import Array

Parameters = Mapping[str, Array]
"""Named arrays in a fixed order, such as ``{"layers.0.weight": ..., "layers.0.bias": ...}``."""


def size(parameters: Parameters) -> int:
    """P: how many numbers the parameters are, all arrays together."""
    return sum(math.prod(array.shape) for array in parameters.values())


def detached(parameters: Parameters) -> dict[str, Array]:
    """The same numbers outside of any torch graph, so that a method which needs none does not record one."""
    return {name: array.detach() if hasattr(array, "detach") else array for name, array in parameters.items()}


def zeros_like(named: Parameters, xp: Any) -> dict[str, Array]:
    """Zeros of the same names, shapes, dtypes and devices: what a compiler sees before the numbers."""
    return {name: xp.zeros_like(array) for name, array in named.items()}


def finished(named: Parameters) -> dict[str, Array]:
    """The same arrays, once JAX has computed them: it returns before, and a timing would end too early."""
    return {
        name: array.block_until_ready() if hasattr(array, "block_until_ready") else array
        for name, array in named.items()
    }


def ravel(parameters: Parameters, xp: Any = np) -> tuple[Array, Callable[[Array], dict[str, Array]]]:
    """The parameters as one vector of shape (P,), and the function that turns vectors back into parameters.

    The vector is a copy. ``unravel`` also takes an array of shape (N, P), whose rows become the members of a
    population: each array then carries the leading axis N. What ``unravel`` returns are views of the vector
    where the backend has views.

    >>> import numpy as np
    >>> vector, unravel = ravel({"a": np.zeros((2, 2)), "b": np.ones(1)})
    >>> vector.shape, unravel(np.arange(5.0))["b"]
    ((5,), array([4.]))
    """
    shapes = {name: tuple(array.shape) for name, array in parameters.items()}

    def unravel(vector: Array) -> dict[str, Array]:
        lead, start, named = tuple(vector.shape[:-1]), 0, {}
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            named[name] = xp.reshape(vector[..., start:stop], lead + shape)
            start = stop
        return named

    return xp.concat([xp.reshape(array, (-1,)) for array in parameters.values()]), unravel
