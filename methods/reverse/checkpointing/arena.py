"""Which state lies in which buffer: a schedule turned into single steps whose buffers are known beforehand.

A step is pulled back through its input and output alone, and its output is there already when the step behind
it has been reversed: so in buffers the last step of a reversal is run only once, for the last step of all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from methods.reverse.checkpointing.actions import Advance, Restore, Reverse, Schedule, Store

DATA = 0
"""The number of the state that needs no buffer."""


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


@dataclass(frozen=True)
class Arena:
    """Buffers of so many numbers each, and the index of the buffer in which each state lies."""

    buffers: tuple[int, ...]
    place: dict[int, int]

    @property
    def numbers(self) -> int:
        """The numbers of all buffers together."""
        return sum(self.buffers)


def arena(done: Sequence[Operation], sizes: Sequence[int]) -> Arena:
    """A buffer for each state from its computation to its last use; ``sizes[i]`` numbers for step i's output.

    A state gets the free buffer that fits it best, which grows where none is large enough.
    """
    last_use = {state: when for when, each in enumerate(done) for state in (each.x, each.y)}
    buffers: list[int] = []
    place: dict[int, int] = {}
    busy: dict[int, int] = {}
    for when, each in enumerate(done):
        if each.back:
            continue
        busy = {state: index for state, index in busy.items() if last_use[state] >= when}
        size, free = sizes[each.step], sorted(set(range(len(buffers))) - set(busy.values()))
        if not free:
            buffers.append(size)
            free = [len(buffers) - 1]
        index = min(free, key=lambda index: abs(buffers[index] - size))
        buffers[index] = max(buffers[index], size)
        place[each.y] = busy[each.y] = index
    return Arena(tuple(buffers), place)


def steps_run(done: Iterable[Operation]) -> list[int]:
    """The steps that are run forward, in order."""
    return [each.step for each in done if not each.back]
