"""Pipeline schedules: in which order each stage works on which micro-batch, and a simulator of what it costs.

GPipe (Huang et al. 2019, arXiv:1811.06965): all micro-batches forward, then all back, the last one first.
1F1B (PipeDream-Flush, Narayanan et al. 2021, arXiv:2006.09503): a stage sends just as many micro-batches
ahead as there are stages behind it, and then goes one forward and one back in turn. Where all stages take
equally long, the idle share (the bubble) of both is (K - 1) / (M + K - 1) for K stages and M micro-batches;
what differs is memory: M micro-batches in flight under GPipe, at most min(K - k, M) at stage k under 1F1B.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

Kind = Literal["gpipe", "1f1b"]
KINDS: tuple[Kind, ...] = ("gpipe", "1f1b")


class Step(NamedTuple):
    """One micro-batch going one way through a stage."""

    operation: Literal["forward", "backward"]
    micro_batch: int


@dataclass(frozen=True)
class Slot:
    """A step of one stage, from `start` to `end` in units of the given costs."""

    stage: int
    step: Step
    start: Fraction
    end: Fraction


@dataclass(frozen=True)
class Schedule:
    """Who does what when: the slots of all stages, those of a stage in order."""

    stages: int
    micro_batches: int
    slots: tuple[Slot, ...]

    def of(self, stage: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        return tuple(slot for slot in self.slots if slot.stage == stage)

    def __str__(self) -> str:
        """One line for each stage and one column for each unit of time: F0 forward, B0 back, dots idle."""
        width = len(str(self.micro_batches - 1)) + 1
        times = range(int(max(slot.end for slot in self.slots)))
        lines = []
        for stage in range(self.stages):
            named = {
                time: f"{slot.step.operation[0].upper()}{slot.step.micro_batch}"
                for slot in self.of(stage)
                for time in range(int(slot.start), int(slot.end))
            }
            lines.append(" ".join(named.get(time, ".").ljust(width) for time in times).rstrip())
        return "\n".join(lines)


def order(kind: Kind, stages: int, micro_batches: int, stage: int) -> tuple[Step, ...]:
    """What `stage` does one after the other. The workers keep to it, and the simulator times it."""
    forward = [Step("forward", each) for each in range(micro_batches)]
    backward = [Step("backward", each) for each in range(micro_batches)]
    if kind == "gpipe":
        return (*forward, *reversed(backward))
    ahead = min(stages - 1 - stage, micro_batches)
    in_turn = [step for pair in zip(forward[ahead:], backward, strict=False) for step in pair]
    return (*forward[:ahead], *in_turn, *backward[micro_batches - ahead :])


def simulate(
    kind: Kind,
    stages: int,
    micro_batches: int,
    *,
    forward_cost: float | Fraction = 1,
    backward_cost: float | Fraction = 1,
) -> Schedule:
    """Time the schedule: each step starts when its stage is free and what it waits for is done.

    Forward waits for the stage before, backward for the stage behind. Sending takes no time.

    >>> print(simulate("1f1b", stages=2, micro_batches=3))
    F0 F1 .  B0 F2 B1 .  B2
    .  F0 B0 F1 B1 F2 B2 .
    >>> bubble(simulate("1f1b", stages=2, micro_batches=3))
    Fraction(1, 4)
    """
    costs = {"forward": Fraction(forward_cost), "backward": Fraction(backward_cost)}
    left = [list(order(kind, stages, micro_batches, stage)) for stage in range(stages)]
    free = [Fraction(0)] * stages
    ends: dict[tuple[int, Step], Fraction] = {}
    slots: list[Slot] = []
    while any(left):
        before = len(slots)
        for stage, steps in enumerate(left):
            while steps and (ready := _ready(ends, stages, stage, steps[0])) is not None:
                step, start = steps.pop(0), max(free[stage], ready)
                free[stage] = ends[stage, step] = start + costs[step.operation]
                slots.append(Slot(stage, step, start, free[stage]))
        assert len(slots) > before, "every stage waits for another one"
    return Schedule(stages, micro_batches, tuple(slots))


def bubble(schedule: Schedule) -> Fraction:
    """The share of all stages' time, until the last one is done, in which they are idle."""
    busy = sum((slot.end - slot.start for slot in schedule.slots), Fraction(0))
    return 1 - busy / (schedule.stages * max(slot.end for slot in schedule.slots))


def in_flight(schedule: Schedule) -> tuple[int, ...]:
    """For each stage, how many micro-batches at most have gone forward and are still to come back."""
    most = []
    for stage in range(schedule.stages):
        held = [0]
        for slot in schedule.of(stage):
            held.append(held[-1] + (1 if slot.step.operation == "forward" else -1))
        most.append(max(held))
    return tuple(most)


def _ready(ends: dict[tuple[int, Step], Fraction], stages: int, stage: int, step: Step) -> Fraction | None:
    """When all that `step` waits for is done; None: not known yet."""
    if step.operation == "forward":
        return ends.get((stage - 1, step)) if stage else Fraction(0)
    if stage == stages - 1:
        return ends.get((stage, Step("forward", step.micro_batch)))
    return ends.get((stage + 1, step))
