"""Romberg's table: differences over a ladder of steps, extrapolated to the step zero, with an error.

Row k begins with the difference T_k0 of the step h / r^k, whose error is a series in powers h^p, h^(p+g), ...
with g = 2 for symmetric differences and 1 for one-sided ones. Each column removes one (Richardson 1911):

    T_kj = T_k,j-1 + (T_k,j-1 - T_k-1,j-1) / (r^(p + g (j - 1)) - 1).

The error of an entry is taken to be what it differs by from the two that it is made of (Ridders 1982,
"Accurate computation of F'(x) and F'(x) F''(x)", Adv. Eng. Software 4), and the noise of its difference. The
entry of the least error is taken, each coordinate its own.
"""

from typing import Any

import numpy as np

_LUCK = 2.0
"""The least of many estimates is on the lucky side."""


class Extrapolated:
    """The table of `number` coordinates, a row at a time: the best `value` and its `error` for each.

    `noise` is the part of it that noise has, `newest` the least error of the last row. Differences that are
    not finite leave the best as it is.
    """

    def __init__(self, number: int, ratio: float, power: int, gap: int = 2, dtype: Any = np.float64) -> None:
        self.value = np.full(number, np.nan, dtype)
        self.error = np.full(number, np.inf, dtype)
        self.newest = np.full(number, np.inf, dtype)
        self.noise = np.zeros(number, dtype)
        self._ratio, self._power, self._gap = ratio, power, gap
        self._row: list[Any] = []

    def add(self, entries: Any, differences: Any, noise: Any) -> None:
        """The next row of the coordinates `entries`, from differences of known noise."""
        row, self.newest[entries] = [differences], np.inf
        unknown = entries[~np.isfinite(self.value[entries])]
        self.value[unknown] = differences[np.isin(entries, unknown)]
        with np.errstate(all="ignore"):
            for column, before in enumerate(self._row):
                above = before[entries]
                finer = row[-1] + (row[-1] - above) / (self._ratio ** (self._power + self._gap * column) - 1)
                change = np.maximum(np.abs(finer - row[-1]), np.abs(finer - above))
                self._take(entries, finer, _LUCK * change + noise, noise)
                row.append(finer)
        self._row.append(np.full(self.value.shape, np.nan, self.value.dtype))
        for kept, fresh in zip(self._row, row, strict=True):
            kept[entries] = fresh

    def _take(self, entries: Any, value: Any, error: Any, noise: Any) -> None:
        error = np.where(np.isfinite(value) & np.isfinite(error), error, np.inf)
        better = error < self.error[entries]
        taken = entries[better]
        self.value[taken], self.error[taken], self.noise[taken] = value[better], error[better], noise[better]
        self.newest[entries] = np.minimum(self.newest[entries], error)
