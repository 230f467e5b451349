"""The dense tanh networks of the tables, what their gradients are in more digits, and parts of them."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

WIDTHS = {
    "1e2": (4, 6, 6, 6, 1),
    "1e3": (8, 18, 18, 18, 8),
    "1e4": (16, 64, 64, 64, 10),
    "1e5": (64, 200, 200, 200, 32),
    "1e6": (512, 512, 512, 512, 512),
}
ROWS = 32
_MOVED = "layers.2.weight"
"""The second matrix: of its entries a part is made."""
_COORDINATES = 200


def network(label: str, backend: str, dtype: str, rows: int = ROWS) -> Any:
    """The network of about `label` parameters, with the same numbers on every backend."""
    import gradmark

    return gradmark.get_problem(
        "mlp", widths=WIDTHS[label], data="synthetic", loss="mse", batch=rows, backend=backend, dtype=dtype
    )


@cache
def exact(label: str, dtype: str, rows: int = ROWS) -> dict[str, Any]:
    """The gradient in longdouble, at the numbers as rounded to `dtype`."""
    import gradmark

    problem = network(label, "numpy", dtype, rows).to(dtype="longdouble")
    found = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    return {name: np.array(array) for name, array in found.items()}


def error(gradient: Mapping[str, Any], label: str, dtype: str) -> float:
    """The relative 2-norm error, over the coordinates that `gradient` has."""
    from gradmark.arrays import to_numpy

    off = size = np.longdouble(0)
    for name, array in gradient.items():
        found = to_numpy(array)
        true = exact(label, dtype)[name][: found.shape[0]]
        off, size = off + np.sum((found - true) ** 2), size + np.sum(true**2)
    return float(np.sqrt(off / size))


class Part:
    """A network of which some two hundred coordinates move: the first rows of its second matrix.

    What a method takes for these, times `factor`, is taken to be its time for all: what it would take hours.
    """

    layers = None

    def __init__(self, problem: Any) -> None:
        self._whole = problem
        weight = problem.parameters[_MOVED]
        rows = min(weight.shape[0], math.ceil(_COORDINATES / weight.shape[1]))
        self._rest = weight[rows:]
        self.parameters = {_MOVED: weight[:rows] + 0}
        numbers = sum(math.prod(array.shape) for array in problem.parameters.values())
        self.factor = numbers / (rows * weight.shape[1])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def loss(self, parameters: Mapping[str, Any], draw: Any = None) -> Any:
        """The whole network's loss, also for a population."""
        xp, moved = self._whole.arrays.xp, parameters[_MOVED]
        rest = xp.broadcast_to(self._rest, (*moved.shape[:-2], *self._rest.shape))
        weight = xp.concat([moved, rest], axis=-2)
        return self._whole.loss({**self._whole.parameters, _MOVED: weight}, draw)
