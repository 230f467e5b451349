"""What a vector-valued function returns, made into scalars by random cotangents."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import dtype_name, to_numpy
from gradmark.errors import UsageError
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Raw, no_value
from gradmark.judging.checking.space import Space, space_of
from gradmark.leaves import leaves_like
from gradmark.random import generator


@dataclass(frozen=True)
class Outputs:
    """What a vector-valued function returns: its structure as a space, and cotangents to weight it with."""

    space: Space
    seed: int

    def cotangent(self, point: int) -> Any:
        """Random weights for one of the points, of magnitude 1/2 to 3/2, exact in eight bits; flat."""
        random = generator(self.seed, "judge", 48, point)
        size = self.space.size
        magnitude = random.integers(128, 385, size) / 256
        return (random.choice([-1.0, 1.0], size) * magnitude).astype(np.longdouble)

    def weighted(self, weights: Any, outputs: Any) -> Raw:
        """sum_i w_i f_i of what the function returned; raises ValueError where it is built otherwise."""
        named = leaves_like(self.space.at, outputs)
        dtypes = {dtype_name(array) if hasattr(array, "dtype") else "" for array in named.values()}
        arrays = [np.asarray(to_numpy(array)) for array in named.values()]
        if [array.shape for array in arrays] != list(self.space.shapes.values()):
            raise ValueError("returned other shapes than before: it must return the same ones each time")
        wide = np.clongdouble if any(map(np.iscomplexobj, arrays)) else np.longdouble
        flat = np.concatenate([array.astype(wide).reshape(-1) for array in arrays])
        return Raw(np.sum(flat * weights), dtypes.pop() if len(dtypes) == 1 else "")


def outputs_of(function: Callable[[Any], Any], space: Space, x: Any, meter: Meter, seed: int) -> Outputs:
    """What `function` returns at the point; `UsageError` where that is no arrays of one real dtype."""
    meter.evaluation()
    try:
        with np.errstate(all="ignore"):
            value = function(space.built(x))
    except (Exception, SystemExit) as error:
        raise no_value(error) from error
    try:
        made, flat = space_of(value)
    except UsageError as error:
        raise UsageError(
            f"`function` must return arrays: {str(error).replace('`at`', 'what it returned')}"
        ) from error
    if made.size == 0 or not np.all(np.isfinite(flat)):
        raise UsageError("`function` must return at least one number, and only finite ones, at the point.")
    return Outputs(made, seed)
