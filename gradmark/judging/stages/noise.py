"""Noise: are the moves of a random method those of the law that it declares, independent of each other?

From the recorded moves of up to 40 calls with neighbouring seeds: mean, variance (in all, in each array), the
correlation of coordinates (layers that draw from one seed), the distribution, and the independence of
directions within a call and between calls. Without a known law only the variance and repetitions are tested.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradmark.claims import Claims, Unbiased
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.verdict import Evidence, Finding
from gradmark.judging.watching.lines import lines
from gradmark.judging.watching.noise_tests import Tested, tests_for
from gradmark.judging.watching.sample import Sample, pooled
from gradmark.judging.watching.seeing import sigma_of
from gradmark.judging.watching.watched import Hidden, Queries, Watched, parts, watched
from gradmark.measuring.spending import share
from gradmark.noise_laws import NoiseLaw, noise_law
from gradmark.random import generator

NAME = "noise"
_CALLS = 40
_SECONDS = 0.3
"""The longest that the calls on one problem may take; then those that were made must do."""
_FEWEST = 8
"""Calls that are made in any case: from so many on the variance can be tested without a law."""


def applies(claims: Claims) -> str | None:
    """Methods that claim to be unbiased."""
    if not isinstance(claims.exactness, Unbiased):
        return "it claims no mean over seeds"
    return None if claims.exactness.independent else "the noise of one call is claimed to be dependent"


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Findings for each problem on which the queries can be seen."""
    alpha = share(hearings[0].false_alarm, STATISTICAL * len(hearings))
    for hearing in hearings:
        yield from noise_of(hearing, alpha)


def noise_of(
    hearing: Hearing, alpha: float, number: int = _CALLS, seconds: float = _SECONDS
) -> Iterator[Finding]:
    """The findings on one problem, which spend `alpha` together, from `number` calls if `seconds` allow."""
    begun = hearing.clock.spent()
    blank = Finding(NAME, "skipped", "", where=hearing.where, dtype=hearing.dtype)
    try:
        watching = watched(hearing)
        made = _calls(watching, number, seconds)
    except Hidden as error:
        yield replace(blank, reason=f"{error}.")
        return
    sigma = sigma_of(hearing, watching.slopes)
    if sigma is None:
        yield replace(blank, reason="it declares no sigma in which its moves could be measured.")
        return
    law = noise_law(hearing.method.claims.target.law)
    sample = pooled([lines(each) for each in _drawn(made)], sigma, parts(hearing.problem.parameters))
    cost = sum(each.answer.work.evaluations for each in made)
    tests = tests_for(law)
    for test in tests:
        tested = test(sample, law)
        if tested is not None:
            taken = hearing.clock.spent() - begun if cost else 0.0
            found = _finding(tested, sample, law, share(alpha, len(tests)))
            yield replace(found, where=hearing.where, dtype=hearing.dtype, evaluations=cost, seconds=taken)
            cost = 0.0


def _drawn(made: Sequence[Queries]) -> list[Queries]:
    """Without the queries that every call makes, such as one at a fixed baseline: those are no noise."""
    rows = [[row.tobytes() for row in each.directions] for each in made]
    fixed = set(rows[0]).intersection(*rows[1:])
    drawn = [np.array([row not in fixed for row in each]) for each in rows]
    if len(made) < 2 or not all(map(np.any, drawn)):
        return list(made)
    return [
        replace(each, directions=each.directions[new], values=each.values[new], rounding=each.rounding[new])
        for each, new in zip(made, drawn, strict=True)
    ]


def _calls(watching: Watched, number: int, seconds: float) -> list[Queries]:
    """So many calls as time allows, with neighbouring seeds; how many does not hang on what they show."""
    clock = watching.hearing.clock
    until = clock.spent() + seconds
    first = int(generator(watching.hearing.seed, "judge", 1).integers(2**30))
    made = [watching.call(first)]
    for seed in range(first + 1, first + number):
        if len(made) >= _FEWEST and clock.spent() > until:
            break
        made.append(watching.call(seed))
    return made


def _finding(tested: Tested, sample: Sample, law: NoiseLaw | None, alpha: float) -> Finding:
    wrong = tested.wrong or (tested.p_value is not None and tested.p_value < alpha)
    where = f" (`{tested.where}`)" if tested.where else ""
    said = f"{tested.what}{where} is {tested.value:.4g}"
    known = law.name if law is not None else "an unknown law"
    drawn = f"in {sample.number} directions of {sample.runs} calls"
    chance = "" if tested.p_value is None else f", p = {tested.p_value:.1g}"
    reason = f"{said} {drawn}; for {known} it is {tested.expected:.4g}{chance}."
    if law is None and not wrong:
        reason = f"{said} {drawn}{chance}; its law is not known here, so that nothing else is tested."
    limit = None if tested.detectable is None else tested.detectable(alpha)
    return Finding(
        f"{NAME}.{tested.name}",
        "failed" if wrong else "passed",
        reason,
        evidence=Evidence(tested.what, array=tested.where, found=tested.value, expected=tested.expected),
        smallest_detectable=limit,
        p_value=tested.p_value,
    )
