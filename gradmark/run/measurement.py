"""Measuring one comparison: all its methods on one problem, in one process.

Work and error come first, then memory in a pass of its own, then the times of all methods interleaved
with the plain forward pass. Methods of which one call takes seconds come last, cheapest first: they are
called once, and that call is their timing too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradmark.run.accuracy import without_value
from gradmark.run.admission import admit, skip_if_too_long
from gradmark.run.attempt import attempt, verdict
from gradmark.run.calling import evaluate, timed_call
from gradmark.run.costing import memory, time_beside, time_records, time_together, timing_of_slow
from gradmark.run.forward import Forward, candidates, fastest, forward_records
from gradmark.run.records import QUANTITIES
from gradmark.run.session import Candidate, Session

if TYPE_CHECKING:
    from gradmark.measuring.time import Timing
    from gradmark.reference import Reference

_CALLS_AT_LEAST = 6
"""Calls of which memory and interleaved timing are made at least: warm-up, calibration, and a few samples."""
_COMPILED = 4.0
"""A first call that took this many times as long as predicted has probably compiled something, ..."""
_NOTICEABLE = 0.02
"""... if it took as many seconds at least: a cold cache costs less."""
_SPARE = 5
"""The memory of a slow method is measured where this many calls would fit: the least urgent question."""


def measure(session: Session, methods: Sequence[Candidate]) -> None:
    """Measure what every candidate still lacks, emit the records as they are finished, and end every case."""
    session.announce(-1, "problem")
    forward = candidates(session.problem)
    for candidate in methods:
        admit(session, candidate, forward)
    running = sorted((c for c in methods if not c.ended), key=lambda c: c.predicted or 0.0)
    reference = _reference(session, running)
    fast = [candidate for candidate in running if not candidate.is_slow]
    for candidate in fast:
        _call_first(session, candidate, reference)
    fast = _affordable(session, fast)
    for candidate in fast:
        _memory_if_wanted(session, candidate)
    base = _times(session, running, fast, forward)
    slow = [candidate for candidate in running if candidate not in fast]
    for candidate in sorted(slow, key=_expected_seconds):
        _measure_slow(session, candidate, reference, base, forward)
    for candidate in slow:
        _end_slow(session, candidate)


def _affordable(session: Session, called: Sequence[Candidate]) -> list[Candidate]:
    """Those that can be timed many times in the time that is left; the others are treated as slow."""
    left, chosen = session.left() / 2, []
    for candidate in sorted(called, key=_expected_seconds):
        left -= _CALLS_AT_LEAST * _expected_seconds(candidate)
        if not candidate.is_slow and left > 0:
            chosen.append(candidate)
    return chosen


def _expected_seconds(candidate: Candidate) -> float:
    return candidate.seconds[-1] if candidate.seconds else candidate.predicted or 0.0


def _reference(session: Session, methods: Sequence[Candidate]) -> "Reference | None":
    """The reference for all methods; None, and records that say why, where the problem has none."""
    wanting = [candidate for candidate in methods if "error" in candidate.groups]
    if not wanting:
        return None
    session.announce(-1, "reference")
    try:
        from gradmark.reference import best_reference, quantity_reference

        if session.want == "gradient":
            return best_reference(session.problem)
        return quantity_reference(session.problem, session.want, session.direction)
    except Exception as error:
        status, reason = verdict(error)
        why = f"the problem has no reference: {reason}"
        for candidate in wanting:
            session.emit(without_value(session, candidate, QUANTITIES["error"], status, why))
        return None


def _call_first(session: Session, candidate: Candidate, reference: "Reference | None") -> None:
    """The calls for work and error; one more where the first took so long that it must have compiled."""
    attempt(session, candidate, "error", lambda: evaluate(session, candidate, reference))
    if candidate.ended or not candidate.declares_work or len(candidate.seconds) > 1:
        return
    first, expected = candidate.seconds[0], candidate.predicted or 0.0
    if first > max(_COMPILED * expected, _NOTICEABLE) and session.left() > 2 * first:
        attempt(session, candidate, "time", lambda: timed_call(session, candidate, session.seed))


def _memory_if_wanted(session: Session, candidate: Candidate) -> None:
    if "memory" in candidate.groups:
        attempt(session, candidate, "memory", lambda: memory(session, candidate))


def _times(
    session: Session, running: list[Candidate], fast: list[Candidate], forward: Forward
) -> "tuple[str, Timing] | None":
    """Time the fast candidates and the forward pass together, end them, and return the forward's timing."""
    timed = None
    if any("time" in candidate.groups for candidate in running):
        timings = time_together(session, [c for c in fast if "time" in c.groups], forward)
        timed = fastest(timings, forward)
        session.emit(forward_records(session, *timed))
        for candidate in fast:
            if "time" in candidate.groups and not candidate.ended:
                time_records(session, candidate, timings[str(candidate.index)], timed[1], timed[0])
    for candidate in fast:
        if not candidate.ended:
            session.end(candidate)
    return timed


def _measure_slow(
    session: Session,
    candidate: Candidate,
    reference: "Reference | None",
    base: "tuple[str, Timing] | None",
    forward: Forward,
) -> None:
    """Call a slow method once for everything, and time the forward pass again beside it."""
    if not candidate.seconds:
        skip_if_too_long(session, candidate)
        _call_first(session, candidate, reference)
    if candidate.ended or base is None or "time" not in candidate.groups:
        return
    name, earlier = base
    beside = time_beside(session, earlier, forward, name)
    time_records(session, candidate, timing_of_slow(candidate), beside, name)


def _end_slow(session: Session, candidate: Candidate) -> None:
    """The memory of a slow method costs one more call: it is measured where that fits, and the case ends."""
    if candidate.ended:
        return
    seconds = candidate.seconds[-1]
    if "memory" in candidate.groups and session.left() < _SPARE * seconds:
        why = f"it takes one more call of {seconds:.3g} s, for which the comparison had no time left"
        session.emit(without_value(session, candidate, ["peak_bytes"], "skipped", why))
    else:
        _memory_if_wanted(session, candidate)
    if not candidate.ended:
        session.end(candidate)
