"""Work, counted in passes over the rows.

Problems and layer passes report each pass they make; ``with counting() as work`` collects them. A traced or
compiled function runs its Python only once, so a method that compiles declares its work instead, and the
record says so.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Passes over all rows of the draw: forward evaluations of the loss, tangents pushed, pullbacks.

    A population of N members is N passes; a pass over half the rows is half a pass, and so is one over some
    of the layers that have half of the matrix products. `declared` says that a compiled method stated the
    numbers, instead of the problem counting them. `multiplications` are the scalar ones of the way back,
    where a method counts them.
    """

    forward: float = 0.0
    tangent: float = 0.0
    pullback: float = 0.0
    declared: bool = False
    multiplications: float | None = None

    @property
    def evaluations(self) -> float:
        """How often the problem was evaluated at a point or along a direction: forward and tangent."""
        return self.forward + self.tangent

    @property
    def passes(self) -> float:
        """All passes: forward, tangent and pullback."""
        return self.forward + self.tangent + self.pullback

    def times(self, factor: float) -> "Work":
        """The work of `factor` times as many rows."""
        return Work(self.forward * factor, self.tangent * factor, self.pullback * factor, self.declared)


class Counter:
    """What has been counted since ``with counting()`` began."""

    def __init__(self) -> None:
        self.forward = self.tangent = self.pullback = 0.0

    def total(self, *, declared: bool = False) -> Work:
        """The passes counted so far; `declared` where who compiled a function stated them beside it."""
        return Work(self.forward, self.tangent, self.pullback, declared)


class _Open(threading.local):
    """The blocks that are open in this thread: what another thread does is not counted here."""

    def __init__(self) -> None:
        self.counters: list[Counter] = []


_open = _Open()


@contextmanager
def counting() -> Iterator[Counter]:
    """Count the passes made inside the block; blocks may be nested, and each counts its own."""
    counter = Counter()
    _open.counters.append(counter)
    try:
        yield counter
    finally:
        _open.counters.remove(counter)


def count(forward: float = 0.0, tangent: float = 0.0, pullback: float = 0.0) -> None:
    """Report passes to every open ``counting()`` block of this thread; problems and layer passes do."""
    for counter in _open.counters:
        counter.forward += forward
        counter.tangent += tangent
        counter.pullback += pullback


@contextmanager
def uncounted() -> Iterator[None]:
    """Count nothing inside the block: a function that is traced there is counted outside by who calls it."""
    paused, _open.counters = _open.counters, []
    try:
        yield
    finally:
        _open.counters = paused
