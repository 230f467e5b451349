"""What a schedule of checkpointing tells whoever follows it.

State i is the input of step i; state 0 are the data, which are there all the time. A schedule begins at state
0 and reverses the last step first.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advance:
    """Compute state `stop` from state `start`, and keep nothing on the way."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the present state, which is `state`; it may be dropped when nobody restores it any more."""

    state: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Go back to `state`, which was stored."""

    state: int


@dataclass(frozen=True, slots=True)
class Reverse:
    """Run the steps from the present state `start` to `stop` and keep what they save; then pull back."""

    start: int
    stop: int


Action = Advance | Store | Restore | Reverse
Schedule = Sequence[Action]


def runs(schedule: Schedule) -> list[tuple[int, int]]:
    """All runs of steps (start, stop) that `schedule` makes forward, in order."""
    return [(each.start, each.stop) for each in schedule if isinstance(each, Advance | Reverse)]
