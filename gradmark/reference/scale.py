"""The size of the parameters, which steps are taken relative to, and how far they may move."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.measuring.norms import norm


def typical_sizes(numbers: Mapping[str, Any]) -> dict[str, float]:
    """The root mean square of each array; of all parameters where it is zero (biases start so); else 1."""
    norms = {name: norm(array) for name, array in numbers.items()}
    everything = float(np.hypot.reduce(list(norms.values())))
    whole = everything / sum(array.size for array in numbers.values()) ** 0.5
    return {name: norms[name] / array.size**0.5 or whole or 1.0 for name, array in numbers.items()}


def room(array: Any, bounds: tuple[float, float] | None) -> Any:
    """The unit of a ladder of steps that keeps each entry inside `bounds`; infinite where there are none.

    The largest step is an eighth of the unit: four times the distance to the nearer bound leaves half of it.
    """
    if bounds is None:
        return np.full(array.shape, np.inf)
    low, high = bounds
    return 4 * np.minimum(array - low, high - array)
