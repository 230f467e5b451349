"""What a method costs: passes exactly, laws of time and memory with caution (`gradmark.judging.costs`).

Counts are compared at every size. Times and memory need four sizes, which the full profile has; a clock that
cannot tell leaves nothing open, because the verdict on a gradient does not hang on a busy machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradmark.claims import Claims
from gradmark.judging.costs import counts, growth, hidden
from gradmark.judging.costs.hidden import Rows
from gradmark.judging.costs.memories import large_enough, memories
from gradmark.judging.costs.times import rows, times
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.verdict import Finding
from gradmark.measuring.scaling import FEWEST_SIZES
from gradmark.parameters import size

NAME = "cost"
_LONGEST = 0.5
"""Seconds that one call may take: larger sizes are left out."""
_SHARE = 0.25
"""Of the time that is left, for timing once: a second attempt and memory come after it."""
_ENOUGH = 2.0
"""Seconds for timing once: some nine rounds of all sizes."""
_ROUNDS = 9
_APART = 3.0
"""How much larger the largest size must be for a growth of passes to be seen."""
_FEWEST_ROWS = 32
"""Fewer rows cost too little for their time to be told."""
_FEWEST_COUNTS = 3
"""Sizes for a law of counts with two constants."""


def applies(claims: Claims) -> str | None:
    """It examines methods that state their work or a law of growth."""
    stated = claims.work is not None or claims.growth.time or claims.growth.memory
    return None if stated else "it states neither its work nor how its cost grows."


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Counts at each size, their growth, then time and memory; on the first backend that the method takes."""
    ladder = _one_place(hearings)
    claims, called = ladder[0].method.claims, []
    for hearing, answer in _called(ladder):
        called.append((hearing, answer))
        if claims.work is not None:
            yield counts.count(hearing, answer)
    if claims.work is not None and len(called) >= _FEWEST_COUNTS:
        yield counts.growth(ladder, [answer for _, answer in called])
    ladder = [hearing for hearing, _ in called]
    if len(called) < FEWEST_SIZES:
        return
    for finding in (*_times(called), *_hidden(called), *_memory(ladder)):
        yield replace(finding, where=ladder[0].trial.problem, dtype=ladder[0].dtype)


def _one_place(hearings: Sequence[Hearing]) -> list[Hearing]:
    """The hearings on the first one's backend, device and dtype, by size."""
    first = hearings[0].problem.arrays
    return sorted(
        (hearing for hearing in hearings if hearing.problem.arrays == first),
        key=lambda hearing: size(hearing.problem.parameters),
    )


def _called(ladder: Sequence[Hearing]) -> Iterator[tuple[Hearing, Answer]]:
    """One call at each size, as long as the next is expected to be short enough."""
    last: tuple[int, float] | None = None
    for hearing in ladder:
        parameters = size(hearing.problem.parameters)
        if last is not None:
            expected = last[1] * (parameters / last[0]) ** (1 + hearing.method.claims.growth.passes)
            if expected > min(_LONGEST, hearing.clock.left()):
                return
        answer = hearing.call(seed=hearing.seed)
        if answer.seconds > _LONGEST:  # it may have compiled
            answer = hearing.call(seed=hearing.seed)
        last = parameters, answer.seconds
        yield hearing, answer


def _times(called: Sequence[tuple[Hearing, Answer]]) -> Iterator[Finding]:
    """The law of time."""
    claims = called[0][0].method.claims
    claimed = claims.growth.time.get("parameters")
    budget = min(_ENOUGH, _SHARE * called[0][0].clock.left())
    ladder = _affordable(called, budget)
    if claimed is None or len(ladder) < FEWEST_SIZES:
        reason = (
            "no law of time in the parameters is claimed." if claimed is None else "a call takes too long."
        )
        yield Finding("cost.time", "skipped", reason)
        return

    def measure(attempt: int) -> growth.Costs:
        return times(ladder, attempt, budget * (1 + attempt))

    yield growth.judged("cost.time", "time", claimed, measure)


def _hidden(called: Sequence[tuple[Hearing, Answer]]) -> Iterator[Finding]:
    """Whether stated passes explain the time, at the smallest and the largest size; twice where not."""
    claims = called[0][0].method.claims
    claimed = claims.growth.time.get("parameters")
    ends = [hearing for hearing, answer in called if answer.seconds <= _LONGEST / 4]
    if claims.work is None or claimed is None or not ends:
        return
    small, large = ends[0], ends[-1]
    apart = size(large.problem.parameters) / size(small.problem.parameters)
    if small.problem.default_draw.count < _FEWEST_ROWS or apart < _APART:
        return
    allowed = max(0.0, claimed - 1 - claims.growth.passes)
    budget = min(_ENOUGH, _SHARE * small.clock.left()) / 8

    def measured() -> tuple[Rows, Rows]:
        one, other = (rows(each, _stated(claims, each), budget) for each in (small, large))
        return one, other

    once = measured()
    finding = hidden.judged([once], allowed)
    if finding.status == "failed":
        finding = hidden.judged([once, measured()], allowed)
    yield finding


def _stated(claims: Claims, hearing: Hearing) -> float:
    assert claims.work is not None
    return max(claims.work(hearing.problem).passes, 1.0)


def _affordable(called: Sequence[tuple[Hearing, Answer]], budget: float) -> list[Hearing]:
    """The sizes, from the smallest, that can be timed in so many rounds."""
    chosen, cost = [], 0.0
    for hearing, answer in called:
        cost += answer.seconds
        if cost * _ROUNDS > budget:
            break
        chosen.append(hearing)
    return chosen


def _memory(ladder: Sequence[Hearing]) -> Iterator[Finding]:
    claimed = ladder[0].method.claims.growth.memory.get("parameters")
    if claimed is None:
        return
    large = large_enough(ladder)
    if len(large) < FEWEST_SIZES:
        yield Finding("cost.memory", "skipped", "too few sizes are large enough for memory to be told.")
        return
    yield growth.judged("cost.memory", "peak memory", claimed, lambda attempt: memories(large))
