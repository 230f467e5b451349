"""A schedule turned into single steps between numbered states, as they are run in buffers.

A step is pulled back through its input and output alone, and its output is there already when the step behind
it has been reversed: so in buffers the last step of a reversal is run only once, for the last step of all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from methods.reverse.checkpointing.actions import Advance, Restore, Reverse, Schedule, Store

DATA = 0
"""The number of the state that needs no buffer of ours."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Step `step` run from state `x` to state `y`, or pulled back between them.

    A state that is computed again has a new number, in the order in which they are computed.
    """

    back: bool
    step: int
    x: int
    y: int


def operations(schedule: Schedule, steps: int) -> list[Operation]:
    """What `schedule` means where a pullback needs the states on both sides of a step, and nothing else."""
    done: list[Operation] = []
    stored, chain, behind, fresh = {0: DATA}, [DATA], DATA, count(1)

    def run(step: int) -> None:
        done.append(Operation(False, step, chain[-1], next(fresh)))
        chain.append(done[-1].y)

    for action in schedule:
        match action:
            case Advance(start, stop):
                for step in range(start, stop):
                    run(step)
            case Store(state):
                stored[state] = chain[-1]
            case Restore(state):
                chain = [stored[state]]
            case Reverse(start, stop):
                chain = chain[-1:]
                for step in range(start, stop if stop == steps else stop - 1):
                    run(step)
                chain += [] if stop == steps else [behind]
                done += [
                    Operation(True, step, chain[step - start], chain[step - start + 1])
                    for step in reversed(range(start, stop))
                ]
                behind = chain[0]
    return done


def steps_run(done: Iterable[Operation]) -> list[int]:
    """The steps that are run forward, in order."""
    return [each.step for each in done if not each.back]


def states_at_once(done: Sequence[Operation], sizes: Sequence[int]) -> int:
    """The most numbers that states needed at one time have; ``sizes[i]`` of them step i's output.

    A state is needed from its computation to its last use.
    """
    last_use = {state: when for when, each in enumerate(done) for state in (each.x, each.y)}
    ends: dict[int, int] = {}
    held = most = 0
    for when, each in enumerate(done):
        if not each.back:
            held += sizes[each.step]
            ends[last_use[each.y]] = ends.get(last_use[each.y], 0) + sizes[each.step]
        most = max(most, held)
        held -= ends.pop(when, 0)
    return most
