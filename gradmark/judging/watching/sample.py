"""Search noise as it was drawn: the directions of several watched calls."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.watching.lines import Lines


@dataclass(frozen=True)
class Sample:
    """Directions e = (x_i - x) / sigma, one of each line: `rows` (n, P), the call that each comes from in
    `calls` (n,), counted from 0 and in order. `slices` say where each array lies; `blur` bounds how far
    rounding moves an entry, `dense` whether no direction is met twice by chance.
    """

    rows: Any
    calls: Any
    slices: dict[str, slice]
    blur: float
    dense: bool

    @property
    def number(self) -> int:
        """n."""
        return len(self.rows)

    @property
    def size(self) -> int:
        """P."""
        return int(self.rows.shape[1])

    @property
    def runs(self) -> int:
        """How many calls there were."""
        return int(self.calls[-1]) + 1 if len(self.calls) else 0

    def per_call(self, values: Any) -> Any:
        """The mean of `values` (n,) over each call, shape (calls,)."""
        return np.bincount(self.calls, weights=values) / np.bincount(self.calls)


def pooled(found: list[Lines], sigma: float, slices: dict[str, slice]) -> Sample:
    """All directions of several calls together."""
    return Sample(
        rows=np.concatenate([np.asarray(each.directions, dtype=np.float64) for each in found]) / sigma,
        calls=np.repeat(np.arange(len(found)), [each.count for each in found]),
        slices=slices,
        blur=max(float(np.max(each.rounding)) for each in found) / sigma,
        dense=all(each.dense for each in found),
    )
