"""What a method costs: peak memory, time beside the plain forward pass, and preparation."""

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from gradmark.method import Phased, Saves
from gradmark.run.accuracy import without_value
from gradmark.run.attempt import verdict
from gradmark.run.bound import prepared
from gradmark.run.forward import Forward
from gradmark.run.session import Candidate, Session

if TYPE_CHECKING:
    from gradmark.measuring.time import Timing

_SHARE = 0.08
"""Seconds of interleaved timing for each function, where the session gives no budget."""
_BESIDE = 0.05
"""Seconds of timing the plain forward pass again beside a slow call."""


class _Raised(Exception):
    """A method raised while it was timed among others."""

    def __init__(self, candidate: Candidate, error: BaseException) -> None:
        super().__init__()
        self.candidate, self.error = candidate, error


def memory(session: Session, candidate: Candidate) -> None:
    """Emit the peak bytes of preparing and calling once, in a pass of its own.

    What the method says that it keeps for the way back, by layer, is in the record's detail.

    Where that pass fails, the quantity says why, and the case goes on.
    """
    from gradmark.measuring.memory import peak_bytes

    session.announce(candidate.index, "memory")
    try:
        peak = peak_bytes(lambda: _call(session, candidate), session.problem.arrays)
    except (Exception, SystemExit) as error:
        # The child's error comes back as the text of its traceback, whose last line says what went wrong.
        last = (str(error).strip().splitlines() or [""])[-1]
        status, _ = verdict(error)
        session.emit(without_value(session, candidate, ["peak_bytes"], status, last))
        return
    detail: dict[str, object] = {"resolution": peak.resolution}
    if isinstance(candidate.method, Saves):
        detail["saved"] = candidate.method.saved(session.problem)
    session.emit([session.record(candidate.key, "peak_bytes", peak.bytes, "bytes", detail=detail)])


def time_together(session: Session, candidates: list[Candidate], forward: Forward) -> dict[str, "Timing"]:
    """The timings of all candidates and of the forward passes, interleaved; by index, or by forward's name.

    A method that raises ends, and the others are timed without it.
    """
    from gradmark.measuring.time import interleaved

    running = [candidate for candidate in candidates if not candidate.ended]
    functions = dict(forward.functions) | {str(c.index): _timed(session, c) for c in running}
    share = _SHARE * len(functions) if session.budget is None else session.budget
    try:
        return interleaved(
            functions,
            synchronize=session.problem.arrays.synchronize,
            budget=max(0.0, min(share, session.left() / 2)),
        )
    except _Raised as raised:
        session.end(raised.candidate, *verdict(raised.error))
        return time_together(session, running, forward)


def time_beside(session: Session, earlier: "Timing", forward: Forward, name: str) -> "Timing":
    """The forward pass timed once more, after a slow call, together with what it took before."""
    from gradmark.measuring.time import Timing, interleaved

    session.announce(-1, "time")
    again = interleaved(
        {name: forward.functions[name]},
        synchronize=session.problem.arrays.synchronize,
        budget=_BESIDE,
    )[name]
    samples = (*earlier.seconds, *again.seconds)
    return Timing(seconds=samples, calls=earlier.calls, first=earlier.first)


def time_records(session: Session, candidate: Candidate, timing: "Timing", base: "Timing", name: str) -> None:
    """Emit time, its ratio to the forward pass called `name`, and the time of preparation.

    Preparing is what `prepare` took, and what the first call took longer than the later ones. Where a
    function tells the phases of its calls, their medians are in the detail of the time.
    """
    first = candidate.seconds[0] if candidate.seconds else timing.first
    prepare_seconds = candidate.prepare_seconds + max(0.0, first - timing.median)
    samples = {"samples": timing.rounds, "calls": timing.calls}
    beside = {"forward": name, "forward_seconds": base.median, **samples}
    session.emit(
        [
            session.record(
                candidate.key,
                "time",
                timing.median,
                "s",
                detail=samples | _phases(candidate),
                **_known(timing.q25, timing.q75),
            ),
            session.record(
                candidate.key, "ratio", unit="forward passes", detail=beside, **_ratio(timing, base)
            ),
            session.record(
                candidate.key,
                "prepare_time",
                prepare_seconds,
                "s",
                detail={"prepare": candidate.prepare_seconds, "first_call": first},
            ),
        ]
    )


def _phases(candidate: Candidate) -> dict[str, dict[str, float]]:
    """The medians of the seconds by phase; nothing where they are not told."""
    told = [phases for phases in candidate.phases if phases]
    return {"phases": {name: median(each[name] for each in told) for name in told[0]}} if told else {}


def timing_of_slow(candidate: Candidate) -> "Timing":
    """The calls a slow method has made already, as its timing; the first counts where it is the only one."""
    from gradmark.measuring.time import Timing

    seconds = tuple(candidate.seconds[1:] or candidate.seconds)
    return Timing(seconds=seconds, calls=1, first=candidate.seconds[0], warm=len(candidate.seconds) > 1)


def _ratio(timing: "Timing", base: "Timing") -> dict[str, float | None]:
    """`value`, `low` and `high` of the ratio. One call alone has no interval."""
    from gradmark.measuring.time import time_ratio

    if timing.rounds == 1:
        return {"value": timing.median / base.median, "low": None, "high": None}
    ratio = time_ratio(timing, base)
    return {"value": ratio.value, **_known(ratio.low, ratio.high)}


def _known(low: float, high: float) -> dict[str, float | None]:
    """`low` and `high` of a record, or None for both where nothing is known."""
    known = math.isfinite(low) and math.isfinite(high) and low < high
    return {"low": low if known else None, "high": high if known else None}


def _call(session: Session, candidate: Candidate) -> Callable[[], object]:
    """A call prepared anew; the copies that it works on are those there were, and don't count."""
    assert candidate.bound is not None
    bound = replace(candidate.bound, function=prepared(candidate.method, session.problem, session.want))
    return lambda: bound(session.seed)


def _timed(session: Session, candidate: Candidate) -> Callable[[], object]:
    announce, bound, seed = session.announce, candidate.bound, session.seed
    assert bound is not None

    def call() -> object:
        announce(candidate.index, "time")
        try:
            return bound(seed)
        except (Exception, SystemExit) as error:
            raise _Raised(candidate, error) from error

    if not isinstance(bound.function, Phased):
        return call
    told: Phased = bound.function

    def phased() -> object:
        result = call()
        candidate.phases.append(dict(told.seconds))
        return result

    return phased
