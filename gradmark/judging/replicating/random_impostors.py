"""Impostors of a random method: its own estimates, changed so that their mean is wrong by a known amount."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from gradmark.judging.comparing.impostors import FACTOR
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.replicating.decision import decide
from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.estimates import Estimates, NoTarget, declaration_of, with_samples
from gradmark.judging.verdict import Finding, Status
from gradmark.judging.watching.forged import forgeries
from gradmark.judging.watching.watched import Hidden
from gradmark.measuring.spending import share

_ESTIMATES = 256
"""One look, at few estimates: impostors are large beside what so many can tell."""
_SAMPLES = 32
"""Samples in an estimate, as in the stage `sequential`."""
Sample = Callable[[int], Any]


def random_impostors(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Impostors of the first problem on which the method's queries can be seen, before the stage
    `identification`, and of the first whose mean is known, before the decision of the stage `sequential`.
    """
    # Of few digits a call shows too little, where a method's queries are hidden on the problems of many.
    finest = sorted(hearings, key=lambda hearing: hearing.problem.arrays.epsilon)
    yield from _first(finest, _watched)
    found = list(_first(hearings, _of))
    if not found:
        reason = f"no impostor could be shown to the judge: {_of(hearings[0]).reason}"
        found = [_finding(hearings[0], "undecided", reason)]
    yield from found


def _first(hearings: Sequence[Hearing], of: Callable[[Hearing], Finding]) -> Iterator[Finding]:
    """The first finding that is not skipped."""
    made = (of(hearing) for hearing in hearings)
    yield from islice((found for found in made if found.status != "skipped"), 1)


def _watched(hearing: Hearing) -> Finding:
    """Wrong by ten times what one call whose queries are seen can tell: far less than estimates alone do."""
    try:
        made = list(forgeries(hearing))
    except Hidden as error:
        return _finding(hearing, "skipped", f"{error}.")
    passed = [each.name for each in made if not each.caught]
    if passed:
        return _finding(hearing, "undecided", f"the judge let an impostor pass: {', '.join(passed)}.")
    named = (each.name if each.name != "scaled" else f"scaled by 1 + {each.error:.1g}" for each in made)
    return _finding(hearing, "passed", f"caught, by the queries of two calls each: {', '.join(named)}.")


def _of(hearing: Hearing) -> Finding:
    first, site = sites(hearing.problem, hearing.seed)[:2]
    method = with_samples(hearing, site, _SAMPLES)
    try:
        declared, frozen = declaration_of(hearing, site, method), declaration_of(hearing, first, method)
    except NoTarget as error:
        return _finding(hearing, "skipped", str(error))
    alpha = share(hearing.false_alarm, STATISTICAL)
    drawn = Estimates(hearing, site, method, stream=1)
    honest = _kept(drawn)
    decision = decide(honest, declared, alpha, (_ESTIMATES,))
    scale = decision.of("scale")
    if scale is None or not np.isfinite(scale.test.detectable):
        return _finding(hearing, "skipped", f"{decision.count} estimates say nothing of their scale.")
    before = Estimates(hearing, first, method, stream=1)
    shown = list(_impostors(honest, _kept(before), declared, frozen, FACTOR * scale.test.detectable))
    passed = [
        fault for fault, sample in shown if decide(sample, declared, alpha, (_ESTIMATES,)).fault is None
    ]
    used = drawn.evaluations + before.evaluations
    if passed:
        return _finding(hearing, "undecided", f"the judge let an impostor pass: {', '.join(passed)}.", used)
    caught = f"caught, after {_ESTIMATES} estimates each: {', '.join(fault for fault, _ in shown)}."
    return _finding(hearing, "passed", caught, used)


def _impostors(
    honest: Sample, before: Sample, declared: Declaration, frozen: Declaration, least: float
) -> Iterator[tuple[str, Sample]]:
    """Each with what is wrong with it; a fault of less than `least` of the gradient's size is none here."""
    size = float(np.linalg.norm(declared.gradient))
    typical = size / declared.gradient.size**0.5
    off = np.zeros_like(declared.gradient)
    off[int(np.argmin(np.abs(np.abs(declared.gradient) - typical)))] = least * size
    yield "zero", lambda number: np.zeros_like(off)
    yield "sign flipped", lambda number: -honest(number)
    yield f"scaled by 1 + {least:.1g}", lambda number: (1 + least) * honest(number)
    yield f"one coordinate off by {least:.1g} of the norm", lambda number: honest(number) + off
    if float(np.linalg.norm(frozen.gradient - declared.gradient)) >= least * size:
        yield "frozen at the first point", before


def _kept(sample: Sample) -> Sample:
    """The same estimates, each made once."""
    made: dict[int, Any] = {}

    def estimate(number: int) -> Any:
        if number not in made:
            made[number] = sample(number)
        return made[number]

    return estimate


def _finding(hearing: Hearing, status: Status, reason: str, evaluations: float = 0.0) -> Finding:
    return Finding("controls", status, reason, hearing.where, hearing.dtype, evaluations=evaluations)
