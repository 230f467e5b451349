"""What the measurement of one comparison carries: the problem, the candidates, the time that is left."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from gradmark.claims import Want
from gradmark.method import Method
from gradmark.problem import Problem
from gradmark.run.bound import Bound
from gradmark.run.direction import direction_of
from gradmark.run.records import Group, Record, Status

Stage = Literal["start", "problem", "reference", "supports", "prepare", "error", "memory", "time"]

SLOW = 1.0
"""Seconds from which on a call is its own timing sample: it averages over noise by itself, and a
comparison has no time for a second one."""


@dataclass(frozen=True)
class History:
    """What the run knows already of a method at other sizes of the same problem.

    `pass_costs` holds pairs (P, cost of one pass in forward passes); `time_outs` triples (P, FLOPs of a
    forward pass or None, time limit in seconds) of cases that took too long.
    """

    pass_costs: tuple[tuple[int, float], ...] = ()
    time_outs: tuple[tuple[int, float | None, float], ...] = ()

    def pass_cost(self, size: int) -> float:
        """The cost of one pass in forward passes at the nearest size; 1 where nothing is known."""
        nearest = min(self.pass_costs, key=lambda pair: abs(math.log(pair[0] / size)), default=(size, 1.0))
        return nearest[1]

    def dominates(self, size: int, flops: float | None, limit: float) -> str | None:
        """Why a case of this size need not be tried: a smaller one was stopped, and this has no more time."""
        for smaller, its_flops, its_limit in sorted(self.time_outs, key=lambda out: out[0]):
            no_less_work = flops is None or its_flops is None or flops >= its_flops
            if size >= smaller and no_less_work and limit <= its_limit:
                return f"it was stopped after {its_limit:g} s at P = {smaller} already"
        return None


@dataclass
class Candidate:
    """One method of a comparison, and how far its measurement has come.

    `groups` is what is still to be measured of it. `seconds` are the calls made so far, one number each.
    """

    index: int
    method: Method
    key: Mapping[str, Any]
    groups: tuple[Group, ...]
    history: History = field(default_factory=History)
    bound: Bound | None = None
    """The prepared method at the problem's point; None before it is prepared."""
    prepare_seconds: float = 0.0
    predicted: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    phases: list[Mapping[str, float]] = field(default_factory=list)
    """The seconds of each timed call by phase, of functions that tell them."""
    declares_work: bool = False
    """Whether it states its passes instead of having them counted, as compiled methods do."""
    ended: bool = False

    @property
    def is_stochastic(self) -> bool:
        """Whether the method says that its answer depends on the seed."""
        return bool(self.detail.get("stochastic"))

    @property
    def is_slow(self) -> bool:
        """Whether one call takes longer than `SLOW`, as measured or, before that, as predicted."""
        seconds = self.seconds[-1] if self.seconds else self.predicted
        return seconds is not None and seconds > SLOW


@dataclass(frozen=True)
class Session:
    """One comparison while it is measured.

    `emit` takes finished records; `announce(index, stage)` is told what runs next, so that whoever
    watches can name the culprit of a hang (index -1: no method, but the problem or its reference);
    `describe(index, detail)` what is known of a method before it runs. `deadline` is a time of
    `time.monotonic`, `limit` the seconds that were given.
    """

    problem: Problem
    study: str
    forward_key: Mapping[str, Any]
    emit: Callable[[Sequence[Record]], None]
    announce: Callable[[int, Stage], None] = lambda index, stage: None
    describe: Callable[[int, Mapping[str, Any]], None] = lambda index, detail: None
    seed: int = 0
    repetitions: int = 1
    limit: float = math.inf
    deadline: float = math.inf
    budget: float | None = None
    """Seconds of interleaved timing; None: a share for each function."""
    want: Want = "gradient"
    """What the methods are asked for."""

    @cached_property
    def direction(self) -> Any:
        """What it is taken along, the same for all methods; None where it is not."""
        return direction_of(self.problem, self.want, self.seed)

    def left(self) -> float:
        """The seconds that are left."""
        return self.deadline - time.monotonic()

    def record(
        self, key: Mapping[str, Any], quantity: str, value: float | None = None, unit: str = "", **more: Any
    ) -> Record:
        """A record of this session's study."""
        return Record(key=key, quantity=quantity, value=value, unit=unit, study=self.study, **more)

    def end(
        self, candidate: Candidate, status: Status = "done", reason: str | None = None, **detail: Any
    ) -> None:
        """Close a case: the record "case" is the last of its method, and says how it ended."""
        candidate.ended = True
        more = {"limit": self.limit, **detail} if status in ("skipped", "timed out") else detail
        self.emit(
            [
                self.record(
                    candidate.key,
                    "case",
                    None,
                    status=status,
                    reason=reason,
                    detail={**candidate.detail, **more},
                )
            ]
        )
