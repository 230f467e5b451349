"""Which methods nobody beats in both cost and error."""

import numpy as np
from numpy.typing import NDArray

from reports.theory import epsilon


def on_frontier(cost: NDArray[np.float64], error: NDArray[np.float64], dtype: str) -> NDArray[np.bool_]:
    """Whether each point is undominated: no other costs and errs no more, and less in one of the two.

    Errors below `resolution` count as equal.

    >>> on_frontier(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.1, 0.2]), "float64").tolist()
    [True, True, False]
    """
    error = np.maximum(error, resolution(dtype))
    no_worse = (cost[:, None] <= cost) & (error[:, None] <= error)
    better = (cost[:, None] < cost) | (error[:, None] < error)
    beaten: NDArray[np.bool_] = np.any(no_worse & better, axis=0)
    return ~beaten


def resolution(dtype: str) -> float:
    """The relative error below which no method is more exact than another: eight units of the dtype.

    An exact method's error is rounding: a few units, which change with the order of a sum.
    """
    return 8 * (epsilon(dtype) or 0.0)
