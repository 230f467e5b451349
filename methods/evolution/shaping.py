"""Fitness shaping: what is done to the losses of a population before they weigh the moves.

A separate, named step. Only the identity leaves a gradient; all others depend on the ranks of the losses
alone, so that no increasing function of the loss changes them, and what they leave is a direction.

    centred ranks   r_k / (N - 1) - 1/2,  r_k = 0 .. N - 1         (Salimans et al. 2017)
    utilities       -max(0, log(N/2 + 1) - log(1 + r_k)) / sum + 1/N  (natural evolution strategies,
                    Wierstra et al. 2014; the lowest losses have the weights, the upper half none)
    sign            +1 above the median of the population, -1 below it; for a mirrored pair, which is above
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays, to_numpy

SHAPINGS = ("identity", "centred_ranks", "utilities", "sign")


def shaped(arrays: Arrays, shaping: str, losses: Array) -> Array:
    """The weights of `losses`, shape (N,) or (2, M): mirrored pairs below each other.

    Equal losses share the mean of their ranks. What is not a number is as high a loss as any.
    """
    if shaping == "identity":
        return losses
    values = np.nan_to_num(
        np.asarray(to_numpy(losses), dtype=float), nan=np.inf, posinf=np.inf, neginf=-np.inf
    )
    return arrays.array(_SHAPINGS[shaping](values))


def _ranks(values: Any) -> Any:
    from scipy.stats import rankdata

    return rankdata(values).reshape(values.shape) - 1


def _centred_ranks(values: Any) -> Any:
    return _ranks(values) / max(1, values.size - 1) - 0.5


def _utilities(values: Any) -> Any:
    weights = np.maximum(0.0, np.log(values.size / 2 + 1) - np.log(1 + _ranks(values)))
    return 1 / values.size - weights / weights.sum()


def _sign(values: Any) -> Any:
    if values.ndim == 1:
        return np.sign(_ranks(values) - np.median(_ranks(values)))
    above = np.sign(_ranks(values)[0] - _ranks(values)[1])
    return np.stack([above, -above]) / 2


_SHAPINGS: dict[str, Callable[[Any], Any]] = {
    "centred_ranks": _centred_ranks,
    "utilities": _utilities,
    "sign": _sign,
}
