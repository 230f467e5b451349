"""Calling a method with all that is counted, timed and compared around a call."""

import time
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from gradmark.method import Estimate
from gradmark.quantities import named_arrays
from gradmark.random import generator
from gradmark.run.accuracy import error_records
from gradmark.run.records import Record
from gradmark.run.session import Candidate, Session
from gradmark.work import Work, counting

if TYPE_CHECKING:
    from gradmark.measuring.error import ErrorProfile
    from gradmark.reference import Reference


def evaluate(session: Session, candidate: Candidate, reference: "Reference | None") -> None:
    """Call a method for its work and its error, a stochastic one with several seeds, and emit the records.

    The first call is the one that is checked. Seeds for which no time is left are not tried; the records say
    over how many the mean was taken.
    """
    tries = session.repetitions if candidate.is_stochastic and "error" in candidate.groups else 1
    profiles: list[ErrorProfile] = []
    records: list[Record] = []
    for repetition in range(tries):
        if repetition and session.left() < 2 * candidate.seconds[-1]:
            break
        estimate, work = timed_call(session, candidate, _seed(session, repetition))
        if repetition == 0:
            _check(candidate, estimate)
            records += _work_records(session, candidate, work, estimate)
        if reference is not None and "error" in candidate.groups:
            profiles.append(_profile(session, estimate, reference))
    if reference is not None and profiles:
        records += error_records(session, candidate, profiles, reference)
    session.emit(records)


def timed_call(session: Session, candidate: Candidate, seed: int) -> tuple[Estimate, Work]:
    """Call once, remember how long it took, and return the estimate with the passes it made.

    The passes are those that were counted, except where the method declares them: a compiled function
    runs its Python, and with it the counters, only once.
    """
    assert candidate.bound is not None
    with counting() as counter:
        start = time.perf_counter()
        estimate = candidate.bound(seed)
        session.problem.arrays.synchronize()
        candidate.seconds.append(time.perf_counter() - start)
    candidate.declares_work = bool(getattr(getattr(estimate, "work", None), "declared", False))
    return estimate, estimate.work if candidate.declares_work else counter.total()


def _check(candidate: Candidate, estimate: Estimate) -> None:
    assert candidate.bound is not None
    candidate.bound.check_unchanged()
    candidate.bound.check_result(estimate)


def _profile(session: Session, estimate: Estimate, reference: "Reference") -> "ErrorProfile":
    from gradmark.measuring.error import profile

    return profile(named_arrays(estimate.result), reference, session.problem.arrays.dtype)


def _work_records(session: Session, candidate: Candidate, work: Work, estimate: Estimate) -> list[Record]:
    if "work" not in candidate.groups:
        return []
    detail = {
        "forward": work.forward,
        "tangent": work.tangent,
        "pullback": work.pullback,
        "declared": work.declared,
        **_state(estimate),
    }
    return [
        session.record(candidate.key, "evaluations", work.evaluations, "evaluations", detail=detail),
        session.record(candidate.key, "passes", work.passes, "passes", detail=detail),
    ]


def _state(estimate: Estimate) -> dict[str, Any]:
    """What the method hands to its next call, where that is a few numbers and words, such as a loss scale."""
    state = estimate.state
    if not is_dataclass(state) or isinstance(state, type):
        return {}
    told = {field.name: getattr(state, field.name) for field in fields(state)}
    few = all(value is None or isinstance(value, bool | int | float | str) for value in told.values())
    return {"state": told} if few else {}


def _seed(session: Session, repetition: int) -> int:
    """The seed of one repetition: the comparison's own first, then ones drawn from it."""
    if repetition == 0:
        return session.seed
    return int(generator(session.seed, "noise", repetition).integers(2**31))
