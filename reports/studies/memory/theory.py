"""How much is held and run again, in closed form, where L steps are alike.

In units of one state (the outputs of one layer), backprop in buffers holds beside the gradient all states,
two deltas and the gradient of the outputs; checkpointing in one buffer holds what is needed at once, and the
gradient is part of that as far as it is there. In units of a forward pass, a schedule that runs R of L steps
again makes 1 + R / L, and a whole gradient costs 3 - f1 + R / L of them, where f1 is the share of the first
layer.
"""

from collections.abc import Sequence

from methods.reverse.checkpointing import uniform as segmented
from methods.reverse.checkpointing.actions import Schedule
from methods.reverse.checkpointing.arena import most_at_once
from methods.reverse.checkpointing.lifetimes import Sizes, planned
from methods.reverse.checkpointing.operations import operations, states_at_once
from methods.reverse.checkpointing.revolve import advances, revolve
from methods.reverse.checkpointing.steps import Step
from methods.reverse.checkpointing.uniform import best_segments, states_held

BESIDE = 3
"""What backprop holds beside its states: two deltas and the gradient of the outputs."""


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
    held = states_at_once(operations(revolve(steps, states), steps), [1] * steps)
    return held, (advances(steps, states) + 1 - steps) / steps


def uniform_beside(steps: int, segments: int, width: int, rows: int) -> float:
    """Peak less the gradient, in states, of dense layers that are all `width` wide, on `rows` rows.

    With one segment, the first step back has all states but the outputs, two deltas, and one layer's part of
    the gradient; that of the other L - 1 layers, which is taken off, is still to come.

    >>> uniform_beside(64, 1, 256, 2048), uniform_beside(64, 8, 256, 2048)
    (57.09423828125, 8.99609375)
    """
    return _beside(segmented.uniform(steps, segments), steps, width, rows)


def with_states_beside(steps: int, states: int, width: int, rows: int) -> float:
    """The same of the binomial schedule."""
    return _beside(revolve(steps, states), steps, width, rows)


def _beside(schedule: Schedule, steps: int, width: int, rows: int) -> float:
    state, own = width * rows, width * (width + 1)
    layers = [each for i in range(steps) for each in (Sizes(state, {str(i): own}), Sizes(state, {}))][:-1]
    pairs = [Step(2 * i, min(2 * i + 2, len(layers)), 1.0, state) for i in range(steps)]
    plan = planned(operations(schedule, steps), pairs, layers)
    return (most_at_once(plan.values) - steps * own) / state


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
