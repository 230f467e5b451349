"""Backpropagation that keeps few states and computes the others again on the way back.

Uniform segments hold about 2 sqrt(L) states of L steps for less than one more forward pass (Chen et al. 2016,
arXiv 1604.06174); revolve is the optimum for a given number of stored states (Griewank and Walther 2000). A
step is a layer with the activations behind it. The recursion itself is that of `backprop`.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Literal

from gradmark.arguments import check_name, check_size, check_switch
from gradmark.claims import Claims, Exact, Growth
from gradmark.errors import UsageError
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from gradmark.structure import all_in_place
from gradmark.work import Work
from methods.reverse.checkpointing import in_place, portable
from methods.reverse.checkpointing.actions import Schedule
from methods.reverse.checkpointing.holding import held_in_place, held_portably
from methods.reverse.checkpointing.operations import operations
from methods.reverse.checkpointing.revolve import revolve
from methods.reverse.checkpointing.steps import Step, reason_against, steps_of
from methods.reverse.checkpointing.uniform import best_segments, uniform

_NAME = "checkpointed_backprop"


@dataclass(frozen=True)
class CheckpointedBackprop:
    """Hand-derived reverse mode with recomputation, on NumPy and torch.

    `schedule` is "uniform" or "revolve". `segments` is the number of segments of the uniform one (None: the
    number with which the fewest numbers are held, about sqrt(L)). `states` is how many states revolve may
    store at once, the data among them (None: the square root of L, rounded up). `fast` lets it work in one
    buffer allocated once, in which the gradient lies where states have been before; it is that of `backprop`
    to the last bit, and like every result it is there until the next call.

    Not on JAX: XLA merges a recomputation with the first computation, and decides itself what it holds.
    """

    schedule: Literal["uniform", "revolve"] = "uniform"
    segments: int | None = None
    states: int | None = None
    fast: bool = True

    def __post_init__(self) -> None:
        check_switch(_NAME, "fast", self.fast)
        check_name("schedule", self.schedule, ("uniform", "revolve"))
        for argument, belongs in (("segments", "uniform"), ("states", "revolve")):
            value = getattr(self, argument)
            if value is None:
                continue
            check_size(_NAME, argument, value)
            if self.schedule != belongs:
                raise UsageError(
                    f"{_NAME}: `{argument}={value}` belongs to the schedule {belongs}: leave it out, or "
                    f"choose schedule={belongs}."
                )

    @property
    def claims(self) -> Claims:
        """Exact; one pullback, more than one forward pass. By depth: the memory beside the gradient."""
        time = {"parameters": 1.0, "batch": 1.0}
        memory = {"parameters": 1.0, "batch": 1.0}
        if self.schedule == "uniform" and self.segments is None:
            time, memory = {**time, "depth": 1.0}, {**memory, "depth": 0.5}
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(passes=0, time=time, memory=memory),
            work=self._work,
            backends=frozenset({"numpy", "torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers, and a step for each segment."""
        return reason_against(problem, self.segments) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Plan what is held when, and allocate it where layers can work in buffers."""
        check_supported(self, problem, want)
        steps = steps_of(problem)
        form = in_place.prepare_in_place if self._in_place(problem) else portable.prepare_portable
        return form(problem, self.plan(steps), steps)

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes of the data, of the states, and of what the steps of a segment save beside them."""
        steps = steps_of(problem)
        held = held_in_place if self._in_place(problem) else held_portably
        return held(problem, self.plan(steps), steps)

    def plan(self, steps: list[Step]) -> Schedule:
        """The schedule for these steps."""
        if self.schedule == "uniform":
            return uniform(len(steps), self.segments or best_segments([each.size for each in steps]))
        return revolve(len(steps), self.states or 1 + isqrt(len(steps) - 1))

    def _in_place(self, problem: Problem) -> bool:
        return self.fast and all_in_place(problem.layers, problem.criterion)

    def _work(self, problem: Problem) -> Work:
        steps = steps_of(problem)
        plan = self.plan(steps)
        if self._in_place(problem):
            return Work(in_place.forward_passes(operations(plan, len(steps)), steps), pullback=1)
        return Work(portable.forward_passes(plan, steps), pullback=1)
