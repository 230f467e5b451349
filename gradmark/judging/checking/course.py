"""A check from beginning to end: contract, the point that was given, other points, findings."""

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradmark.errors import UsageError
from gradmark.judging.checking.arithmetic import arithmetic
from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.claimed import BrokenContract, contents
from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.directions import THROUGH_ALL, restricted, through_all
from gradmark.judging.checking.examine import examine
from gradmark.judging.checking.findings import gradient_norm, says_nothing, value_finding
from gradmark.judging.checking.meter import OutOfTime
from gradmark.judging.checking.objective import NoNumber, no_value
from gradmark.judging.checking.points import AT, Candidate, Search, Unusable
from gradmark.judging.checking.same_again import settle
from gradmark.judging.checking.spot import LARGE, Spot
from gradmark.judging.checking.task import Task
from gradmark.judging.verdict import Finding

_LEAST, _SOME, _MANY = 3, 4, 5
"""Points at which a gradient is compared: the least for it to be called correct, and all kinds of them."""
_DEAR = 120
"""Evaluations at a large point after which a verdict that is open is left open."""
_SPARE = 2
"""Points nearby that are tried when others could not be used."""


class Course:
    """The state of one check as it goes on."""

    def __init__(self, task: Task) -> None:
        self.task, self.compared, self.failed, self.open = task, 0, False, False
        self.main: Spot | None = None
        self._norm = 0.0

    def findings(self) -> Iterator[Finding]:
        """All findings, in the order in which they are made."""
        try:
            value = first_value(self.task)
            yield from self._found(value)
        except OutOfTime:
            yield self._out_of_time()

    def _found(self, value: Any) -> Iterator[Finding]:
        task = self.task
        try:
            claim = task.side.claim(0, task.x)
            doubts = task.side.contract(claim, task.x)
            self.arithmetic = arithmetic(task.side.objective(0), task.x)
            if doubts:
                settle(Spot(task.side.objective(0), self.arithmetic, task.x, task.bounds), claim, doubts)
        except BrokenContract as broken:
            yield _broken(task, broken, AT)
            return
        kept = "what it returns is fit and stays the same."
        yield Finding("contract", "passed", kept, AT, task.space.arrays.dtype)
        yield self._held(0, Candidate(AT, task.x, value), lambda: claim)
        yield from self._elsewhere(claim, value)

    def _elsewhere(self, claim: Claim, value: Any) -> Iterator[Finding]:
        task, places = self.task, enumerate(self._places(claim, value), 1)
        while not self.failed and (task.points is not None or self.compared < self._wanted):
            if self.open and task.space.size >= LARGE and task.meter.evaluations > _DEAR:
                yield Finding("points", "skipped", "evaluations are dear, and no other point could acquit.")
                return
            index, place = next(places, (0, None))
            if place is None:
                break
            if isinstance(place, Unusable):
                yield Finding("points", "skipped", f"{place.reason}.", place.name)
            else:
                yield self._held(index, place, functools.partial(task.side.claim, index, place.x))
        if not self.failed:
            yield self._enough()

    def _held(self, index: int, place: Candidate, claim: Callable[[], Claim]) -> Finding:
        try:
            return self._at(index, place, claim())
        except BrokenContract as broken:
            self.failed = True
            return _broken(self.task, broken, place.name)

    def _at(self, index: int, place: Candidate, claim: Claim) -> Finding:
        task, made_up = self.task, index > 0 and self.task.points is None
        spot = Spot(task.side.objective(index), self.arithmetic, place.x, task.bounds, place.value)
        if self.main is not None and made_up:
            spot.inherit(self.main)
            spot.norm_elsewhere = self._norm
        before, start = task.meter.evaluations, time.perf_counter()
        sparing = made_up and task.space.size >= LARGE and not spot.complex_believed
        everywhere = through_all(task.space, task.seed, index, THROUGH_ALL - sparing)
        more = restricted(task.space, claim.gradient, task.seed, index, main=index == 0)
        examined = examine(spot, claim, everywhere, more, briefly=made_up)
        found = value_finding(spot, claim, examined, place.name, task.side.code(task.given))
        if made_up and says_nothing(examined, found):
            found = replace(found, status="skipped", digits=None, smallest_detectable=None)
        if self.main is None:
            self.main, self._norm = spot, gradient_norm(claim)
        self.failed = self.failed or found.status == "failed"
        self.open = self.open or found.status == "undecided"
        self.compared += found.status == "passed"
        spent = task.meter.evaluations - before
        return replace(found, evaluations=spent, seconds=time.perf_counter() - start)

    @property
    def _wanted(self) -> int:
        """How many points are compared: fewer where evaluations are dear."""
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
            return Finding("points", "passed", f"it was compared at {self.compared} points.")
        return Finding(
            "points",
            "undecided",
            f"it could be compared at {self.compared} points only, and one that is frozen at the first "
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
    """The value at the point; `UsageError` where it is none, or the function changes its argument."""
    argument = task.space.built(task.x)
    before = contents(argument)
    try:
        raw = task.side.objective(0)(argument)
    except OutOfTime:
        raise
    except NoNumber as error:
        raise UsageError(f"`function` {error}.") from error
    except (Exception, SystemExit) as error:
        raise no_value(error) from error
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
