"""One derivative that is being taken: its tag, its K directions, and what of arrays belongs to it."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np

from gradmark.arrays import Array
from methods.forward.dual_numbers.dual_array import DualArray

_tags = count(1)


def fresh_tag() -> int:
    """A tag higher than all before: of an inner derivative, which begins after those around it."""
    return next(_tags)


class Level:
    """The highest tag among `arrays`, of which at least one is dual."""

    __slots__ = ("directions", "tag")

    def __init__(self, arrays: Iterable[Any]) -> None:
        highest = max((x for x in arrays if isinstance(x, DualArray)), key=lambda x: x.tag)
        self.tag, self.directions = highest.tag, highest.tangents.shape[0]

    def moves(self, x: Any) -> bool:
        """Whether `x` has tangents of this tag."""
        return isinstance(x, DualArray) and x.tag == self.tag

    def value(self, x: Any) -> Any:
        """`x` without its tangents of this tag; what does not move is a constant."""
        return x.value if isinstance(x, DualArray) and x.tag == self.tag else x

    def tangents(self, x: Any) -> Array:
        """The tangents of `x`; zeros where it does not move."""
        if isinstance(x, DualArray) and x.tag == self.tag:
            return x.tangents
        x = np.asarray(x) if not hasattr(x, "shape") else x
        dtype = x.dtype if x.dtype.kind in "fc" else np.float64
        return np.broadcast_to(np.zeros((), dtype), (self.directions, *x.shape))

    def lifted(self, x: DualArray, ndim: int) -> Array:
        """The tangents of `x` in a form that broadcasts beside an array of `ndim` axes."""
        missing = ndim - x.ndim
        return x.tangents if missing <= 0 else x.tangents[(slice(None), *[None] * missing)]

    def dual(self, y: Any, tangents: Any) -> DualArray:
        """`y` with `tangents`, which are brought to its shape and dtype."""
        if tangents.dtype != y.dtype:
            tangents = tangents.astype(y.dtype)
        if tangents.shape[1:] != y.shape:
            tangents = np.broadcast_to(tangents, (self.directions, *y.shape))
        return DualArray(y, tangents, self.tag)
