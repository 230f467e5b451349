"""How much is held and run again, in closed form, where L steps are alike.

In units of one state (the outputs of one layer), buffers of hand-derived methods hold beside the gradient the
states of the schedule, two deltas and the gradient of the outputs; in units of a forward pass, a schedule
that runs R of L steps again makes 1 + R / L, and a whole gradient costs 3 - f1 + R / L of them, where f1 is
the share of the first layer.
"""

from collections.abc import Sequence

from methods.reverse.checkpointing.arena import arena, operations
from methods.reverse.checkpointing.revolve import advances, revolve
from methods.reverse.checkpointing.uniform import best_segments, states_held

BESIDE = 3
"""States held beside those of the schedule: two deltas and the gradient of the outputs."""


def segments_of(steps: int) -> int:
    """The number of uniform segments with which least is held, about sqrt(L)."""
    return best_segments([1] * steps)


def uniform(steps: int, segments: int) -> tuple[float, float]:
    """States held, and the share of a forward pass that is run again: (L - ceil(L/k) - (k - 1)) / L.

    In buffers the last step of a segment is not run again: its output is the next segment's stored input.

    >>> uniform(64, 8)
    (15, 0.765625)
    """
    again = steps - -(-steps // segments) - (segments - 1)
    return states_held(steps, segments), again / steps


def with_states(steps: int, states: int) -> tuple[float, float]:
    """The same of the binomial schedule: in buffers no step is run again for its own reversal.

    >>> with_states(64, 64), with_states(64, 4)
    ((64, 0.0), (6, 2.140625))
    """
    held = arena(operations(revolve(steps, states), steps), [1] * steps).numbers
    return held, (advances(steps, states) + 1 - steps) / steps


def time(recomputed: float, first_share: float) -> float:
    """The time in that of plain backprop, by the operations of matrix products alone."""
    return (3 - first_share + recomputed) / (3 - first_share)


def kept(widths: Sequence[int], rows: int, itemsize: int, *, both: bool) -> int:
    """Bytes kept by a dense network: itemsize B (n_0 + n_1 + ... + n_L), the outputs being for the loss.

    With `both`, z is kept beside h in every hidden layer.

    >>> kept((64, 32, 10), 2, 4, both=False), kept((64, 32, 10), 2, 4, both=True)
    (848, 1104)
    """
    return itemsize * rows * (sum(widths) + (sum(widths[1:-1]) if both else 0))
