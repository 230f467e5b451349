"""Independent estimates of one gradient, reduced to a few numbers each as they come."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.judging.replicating.declaration import Declaration

Sample = Callable[[int], Any]
"""The estimate number k (0, 1, ...) as a vector (P,), made with a seed of its own."""
_NUMBERS = 2**20
"""So many numbers are held at once: 8 MiB."""
_ROWS = 64
"""At most so many estimates are held at once."""


class Replicates:
    """What the tests need of K estimates g_k, g being the declared gradient.

    `scale` (K,): <g_k, g>/|g|^2. `parts` (K, L): the same for each array. `square` (K,): |g_k - g|^2/|g|^2.
    `products` (K - 1,): <g_k - g, g_k+1 - g>/|g|^2,
    uncorrelated where estimates are independent. `along` (K'): <g_k - g, u>/|g| for the estimates since
    `look_along` was called, u the direction in which the mean of those before it lay off. `identical` says
    whether all are equal to the bit, and `moved` how many are not zero.
    """

    def __init__(self, declared: Declaration) -> None:
        self._declared, self._g = declared, np.asarray(declared.gradient, dtype=np.float64)
        self._length = float(np.linalg.norm(self._g))
        self._sum, self._first, self._direction = np.zeros_like(self._g), None, np.zeros_like(self._g)
        self._last: Any = None
        self._columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self.count, self.moved, self.identical = 0, 0, True

    def extend(self, sample: Sample, until: int, may_go_on: Callable[[], bool]) -> None:
        """Draw estimates until there are `until` of them, or time is up."""
        rows = max(1, min(_ROWS, _NUMBERS // self._g.size))
        while self.count < until and may_go_on():
            number = min(rows, until - self.count)
            block = [np.array(sample(self.count + i), dtype=np.float64) for i in range(number)]
            with np.errstate(all="ignore"):
                self._add(np.stack(block))

    def look_along(self) -> None:
        """From now on, look along the direction in which the mean is off so far."""
        off = self._sum / max(self.count, 1) - self._g
        length = float(np.linalg.norm(off))
        self._direction = off / length if length > 0 else off
        self._columns["along"] = []

    def column(self, name: str) -> Any:
        """One of the arrays described above."""
        return np.concatenate(self._columns[name]) if self._columns[name] else np.zeros(0)

    def _add(self, estimates: Any) -> None:
        self._first = estimates[0] if self._first is None else self._first
        self.identical &= bool(np.all(estimates == self._first))
        self.moved += int(np.sum(np.any(estimates != 0, axis=1)))
        off, g, length = estimates - self._g, self._g, self._length
        arrays = self._declared.arrays.values()
        parts = [estimates[:, part] @ g[part] / (g[part] @ g[part]) for part in arrays]
        chain = off if self._last is None else np.concatenate([self._last[None], off])
        self._keep("scale", estimates @ g / length**2)
        self._keep("parts", np.stack(parts, axis=1) if parts else np.zeros((len(off), 0)))
        self._keep("square", np.sum(off**2, axis=1) / length**2)
        self._keep("products", np.sum(chain[:-1] * chain[1:], axis=1) / length**2)
        self._keep("along", off @ self._direction / length)
        self._last = off[-1]
        self._sum = self._sum + np.sum(estimates, axis=0)
        self.count += len(estimates)

    def _keep(self, name: str, values: Any) -> None:
        self._columns[name].append(values)


_COLUMNS = ("scale", "parts", "square", "products", "along")
