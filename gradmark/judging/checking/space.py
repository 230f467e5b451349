"""The point of a check as one flat vector, and back to what the person's functions take."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, to_numpy
from gradmark.function_problem import arrays_of
from gradmark.leaves import leaves, rebuilt


@dataclass(frozen=True)
class Space:
    """How `at` is built: its structure, the names and shapes of its arrays, and what these are."""

    at: Any
    arrays: Arrays
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each array lies in a flat vector."""
        ends = np.cumsum([prod(shape) for shape in self.shapes.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {name: slice(a, b) for name, a, b in zip(self.shapes, starts, ends, strict=True)}

    @cached_property
    def size(self) -> int:
        """P: how many numbers."""
        return sum(prod(shape) for shape in self.shapes.values())

    def flat(self, named: Mapping[str, Any]) -> Any:
        """The numbers of named arrays, longdouble, shape (P,)."""
        return np.concatenate(
            [np.asarray(to_numpy(named[name])).astype(np.longdouble).reshape(-1) for name in self.shapes]
        )

    def named(self, vector: Any, arrays: Arrays | None = None) -> dict[str, Any]:
        """New arrays with the numbers of a flat vector, rounded once to what `arrays` are."""
        made = arrays or self.arrays
        return {
            name: made.array(vector[self.slices[name]].reshape(shape)) for name, shape in self.shapes.items()
        }

    def built(self, vector: Any, arrays: Arrays | None = None) -> Any:
        """What the person's functions take, made new."""
        return rebuilt(self.at, self.named(vector, arrays))

    def rounded(self, vector: Any) -> Any:
        """The nearest point whose numbers exist in the dtype of `at`."""
        if self.arrays.dtype == "longdouble":
            return vector.copy()
        if self.arrays.dtype in ("float32", "float64"):
            return vector.astype(self.arrays.dtype).astype(np.longdouble)
        return self.flat(self.named(vector))

    def place(self, entry: int) -> tuple[str, tuple[int, ...]]:
        """The array and the index in it of one entry of a flat vector."""
        name = next(name for name, part in self.slices.items() if part.start <= entry < part.stop)
        index = (
            np.unravel_index(entry - self.slices[name].start, self.shapes[name]) if self.shapes[name] else ()
        )
        return name, tuple(int(i) for i in index)


def space_of(at: Any) -> tuple[Space, Any]:
    """The space of a point, and the point as a flat vector. Raises `UsageError` as `from_function` does."""
    arrays, named = arrays_of(leaves(at))
    space = Space(at, arrays, {name: tuple(array.shape) for name, array in named.items()})
    return space, space.flat(named)
