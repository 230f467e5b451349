"""Many tests at once: which are rejected, when none may be wrongly with more than a given probability."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those at most alpha keeps the chance of any false rejection at alpha.

    The smallest of n is multiplied by n, the next by n - 1, ..., and none is less than one before it (S.
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6:65, 1979). Nothing is assumed of how the tests hang together, and it rejects all that Bonferroni does.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(order) - np.arange(len(order))
    adjusted = np.minimum(np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors), 1.0)
    result = np.empty(len(order))
    result[order] = adjusted
    return [float(each) for each in result]
