"""Which methods nobody beats in both cost and error."""

import numpy as np
from numpy.typing import NDArray


def on_frontier(cost: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each point is undominated: no other costs and errs no more, and less in one of the two.

    >>> on_frontier(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.1, 0.2])).tolist()
    [True, True, False]
    """
    no_worse = (cost[:, None] <= cost) & (error[:, None] <= error)
    better = (cost[:, None] < cost) | (error[:, None] < error)
    beaten: NDArray[np.bool_] = np.any(no_worse & better, axis=0)
    return ~beaten
