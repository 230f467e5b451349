"""A check from beginning to end: contract, the point that was given, other points, findings."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradmark.errors import UsageError
from gradmark.judging.checking.arithmetic import arithmetic
from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.claimed import BrokenContract, contents
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.directions import LARGE, restricted, through_all
from gradmark.judging.checking.examine import examine
from gradmark.judging.checking.findings import says_nothing, value_finding
from gradmark.judging.checking.meter import OutOfTime
from gradmark.judging.checking.points import AT, Candidate, Search, Unusable
from gradmark.judging.checking.spot import Spot
from gradmark.judging.checking.task import Task
from gradmark.judging.verdict import Finding

_LEAST, _SOME, _MANY = 3, 4, 5
"""Points at which a gradient is compared: the least for it to be called correct, and all kinds of them."""
_SPARE = 2
"""Points nearby that are tried when others could not be used."""


class Course:
    """The state of one check as it goes on."""

    def __init__(self, task: Task) -> None:
        self.task, self.compared, self.failed = task, 0, False
        self.main: Spot | None = None

    def findings(self) -> Iterator[Finding]:
        """All findings, in the order in which they are made."""
        task = self.task
        value = first_value(task)
        try:
            claim = task.side.claim(0, task.x)
            task.side.contract(claim, task.x)
        except BrokenContract as broken:
            yield _broken(task, broken, AT)
            return
        yield Finding("contract", "passed", "the gradient keeps its contract.", AT, task.space.arrays.dtype)
        try:
            yield from self._values(claim, value)
        except OutOfTime:
            yield self._out_of_time()

    def _values(self, claim: Claim, value: Any) -> Iterator[Finding]:
        self.arithmetic = arithmetic(self.task.side.objective(0), self.task.x)
        yield self._at(0, Candidate(AT, self.task.x), claim)
        for index, place in enumerate(self._places(claim, value), 1):
            if isinstance(place, Unusable):
                yield Finding("points", "skipped", f"{place.reason}.", place.name)
            else:
                yield self._elsewhere(index, place)
            if self.failed or (self.task.points is None and self.compared >= self._wanted):
                break
        if not self.failed:
            yield self._enough()

    def _elsewhere(self, index: int, place: Candidate) -> Finding:
        try:
            return self._at(index, place, self.task.side.claim(index, place.x))
        except BrokenContract as broken:
            self.failed = True
            return _broken(self.task, broken, place.name)

    def _at(self, index: int, place: Candidate, claim: Claim) -> Finding:
        task, made_up = self.task, index > 0 and self.task.points is None
        spot = Spot(task.side.objective(index), self.arithmetic, place.x, task.bounds)
        if self.main is not None and made_up:
            spot.inherit(self.main, place.value)
        before, start = task.meter.evaluations, time.perf_counter()
        everywhere = through_all(task.space, task.seed, index)
        more = restricted(task.space, claim.gradient, task.seed, index, main=index == 0)
        examined = examine(spot, claim, everywhere, more, briefly=made_up)
        found = value_finding(spot, claim, examined, place.name, task.side.code(place.name))
        if made_up and says_nothing(examined, found):
            found = replace(found, status="skipped", digits=None, smallest_detectable=None)
        self.main = self.main or spot
        self.failed = self.failed or found.status == "failed"
        self.compared += found.status == "passed"
        spent = task.meter.evaluations - before
        return replace(found, evaluations=spent, seconds=time.perf_counter() - start)

    @property
    def _wanted(self) -> int:
        """How many points are compared: fewer where evaluations are dear, and real differences all there is."""
        if self.task.space.size < LARGE:
            return _MANY
        return _SOME if self.main is not None and self.main.complex_believed else _LEAST

    def _places(self, claim: Claim, value: Any) -> Iterator[Candidate | Unusable]:
        task = self.task
        if task.points is not None:
            given = (task.space.rounded(x) for x in task.points)
            return iter([Candidate(f"points[{index}]", x) for index, x in enumerate(given)])
        own = Carried(task.side.objective(0), task.space.arrays)
        return Search(own, task.x, value, task.seed, task.bounds).points(claim.gradient, _SPARE)

    def _enough(self) -> Finding:
        least = _LEAST if self.task.points is None else 1 + len(self.task.points)
        if self.compared >= max(least, 2):
            return Finding("points", "passed", f"the gradient was compared at {self.compared} points.")
        return Finding(
            "points",
            "undecided",
            f"the gradient could be compared at {self.compared} points only, and one that is frozen at the first "
            "may pass: give others with `points=`.",
        )

    def _out_of_time(self) -> Finding:
        budget = self.task.meter.clock.budget
        return Finding(
            "time",
            "undecided",
            f"the {budget:g} seconds were over after {self.task.meter.evaluations} evaluations.",
        )


def first_value(task: Task) -> Any:
    """The function's value at the point; `UsageError` where it is none, or where the function changes its argument."""
    argument = task.space.built(task.x)
    before = contents(argument)
    try:
        raw = task.side.objective(0)(argument)
    except OutOfTime:
        raise
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        raise UsageError(
            f"`function` has no value at the point (it raised {said}): choose another."
        ) from error
    if np.iscomplexobj(raw.number):
        raise UsageError("`function` returned a complex number: it must return a real one.")
    if not np.isfinite(raw.number):
        raise UsageError(f"`function` returned {raw.number} at the point: choose one where it is finite.")
    if contents(argument) != before:
        raise UsageError("`function` changes its argument: make it compute on a copy.")
    return np.longdouble(raw.number)


def _broken(task: Task, broken: BrokenContract, where: str) -> Finding:
    return Finding(
        f"contract.{broken.part}",
        "failed",
        str(broken),
        where,
        task.space.arrays.dtype,
        evidence=broken.evidence,
    )
