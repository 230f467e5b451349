"""A draw: everything a problem samples for one evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gradmark.arrays import Array
from gradmark.errors import UsageError


@dataclass(frozen=True)
class Draw:
    """The sampled arrays of one evaluation: batch rows, targets, masks, noise.

    Every array of `arrays` has the rows as its leading axis. One draw serves all members of a population and
    any recomputation. `seed` is the seed it was drawn with (None: it was given).
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    seed: int | None = None

    @property
    def count(self) -> int:
        """The number of rows; 1 for a draw without arrays."""
        return next((int(array.shape[0]) for array in self.arrays.values()), 1)

    def rows(self, start: int, stop: int) -> "Draw":
        """Rows `start` to `stop` - 1: a shard or a micro-batch. Raises `UsageError` where there are none.

        >>> import numpy as np
        >>> Draw({"inputs": np.arange(6.0).reshape(3, 2)}).rows(1, 3).arrays["inputs"]
        array([[2., 3.],
               [4., 5.]])
        """
        if not 0 <= start < stop <= self.count:
            raise UsageError(f"rows {start} to {stop} are not in a draw of {self.count} rows.")
        return Draw({name: array[start:stop, ...] for name, array in self.arrays.items()}, self.seed)

    def map(self, function: Callable[[Array], Array]) -> "Draw":
        """The draw with `function` applied to each array."""
        return Draw({name: function(array) for name, array in self.arrays.items()}, self.seed)
