"""What an estimate by mirrored moves of nodes needs to know of its moves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Moves(Protocol):
    """Any part of a sequence of moves u, which `gradmark.noise.Members` is too."""

    @property
    def width(self) -> int:
        """The length of the rows that are written: no less than a vector of noise has."""

    def write(self, start: int, stop: int, scale: float, out: Any) -> None:
        """Moves `start` to `stop` - 1 times `scale` into the NumPy array `out` (stop - start, width)."""


@dataclass(frozen=True)
class Plan:
    """For the nodes of so many rows: M, sigma, the moves of a seed, and whether they are +1 or -1 alone."""

    pairs: int
    sigma: float
    moves: Callable[[int], Moves]
    signs: bool = True
