"""Efficiency: does the error fall with the number of samples as declared, and the cosine rise by its law?

On a linear loss, or where else a variance is declared: E|g_hat - g|^2 = v |g|^2 / M. So the root mean
squared error falls with slope -1/2 in M / v, the cosine is sqrt(M / (M + v)), and the estimate shrunk by
M / (M + v), the factor that makes its mean squared error smallest, has the relative error sqrt(v / (M + v)).

The law of the cosine takes noise that is alike in all directions. Where v depends on the data and the noise
has no known law, the shrunk estimate is tested in its place: its law is exact whatever the noise.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gradmark.claims import Claims, Unbiased
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.places.sites import Site, sites
from gradmark.judging.replicating.estimates import NoTarget
from gradmark.judging.replicating.sample_ladder import (
    FEWEST_LEVELS,
    SAMPLES,
    Level,
    Measured,
    against_law,
    cosine_law,
    law_is_off,
    levels_within,
    measured,
    shrunk_against_law,
    shrunk_law,
)
from gradmark.judging.stages.sequential import QUICK
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.measuring.holm import holm
from gradmark.measuring.rates import Rate, error_rate
from gradmark.measuring.skew_corrected import RESERVE
from gradmark.measuring.spending import share
from gradmark.noise_laws import noise_law

NAME = "efficiency"
_TESTS = 2
"""The rate, and the cosine or the shrunk error."""
_SECONDS = 15.0


def applies(claims: Claims) -> str | None:
    """Methods that declare a variance."""
    if not isinstance(claims.exactness, Unbiased) or not claims.exactness.declares_variance:
        return "it declares no variance"
    return "it claims a direction only" if claims.target.kind == "direction" else None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Two findings for each problem with a linear loss, at the point that it was built with."""
    alpha = share(hearings[0].false_alarm, STATISTICAL * len(hearings) * _TESTS)
    begun = hearings[0].clock.spent()
    for number, hearing in enumerate(hearings):
        left = min(hearing.clock.left(), begun + _SECONDS - hearing.clock.spent())
        yield from judged(
            hearing,
            sites(hearing.problem, hearing.seed)[0],
            alpha,
            left / (len(hearings) - number),
            SAMPLES[:FEWEST_LEVELS] if QUICK in hearing.trial.roles else SAMPLES,
        )


def judged(
    hearing: Hearing, site: Site, alpha: float, seconds: float, ladder: Sequence[int] = SAMPLES
) -> Iterator[Finding]:
    """The findings at one site, each spending `alpha`, within about `seconds`."""
    begun = hearing.clock.spent()
    try:
        levels = levels_within(hearing, site, seconds, ladder)
    except NoTarget as error:
        yield _finding(hearing, site, "", "skipped", str(error))
        return
    if len(levels) < FEWEST_LEVELS:
        tried = ", ".join(f"{each.samples:.0f}" for each in levels) or "none"
        reason = f"too few numbers of samples leave a variance and fit into the time there was: {tried}."
        yield _finding(hearing, site, "", "skipped", reason)
        return
    table = [measured(each) for each in levels]
    used = sum(each.drawn.evaluations for each in levels)
    yield _rate_finding(hearing, site, levels, table, alpha, used, hearing.clock.spent() - begun)
    finding = _cosine_finding if _alike(hearing.method.claims) else _shrunk_finding
    yield finding(hearing, site, levels, table, alpha)


def _alike(claims: Claims) -> bool:
    """Whether the noise is taken to be alike in all directions: named so, or known by its size alone."""
    at = getattr(claims.exactness, "factor_at", None)
    return at is None or noise_law(claims.target.law) is not None


def _rate_finding(
    hearing: Hearing,
    site: Site,
    levels: list[Level],
    table: list[Measured],
    alpha: float,
    used: float,
    seconds: float,
) -> Finding:
    with np.errstate(all="ignore"):
        rate = error_rate([each.ratio for each in levels], np.stack([each.squares for each in table], axis=1))
    wrong = rate.p_value * RESERVE <= alpha
    reason = (
        f"the error {'does not fall' if wrong else 'falls'} with slope -1/2 in the number of samples, from "
        f"{levels[0].samples:.0f} to {levels[-1].samples:.0f}: {_slope(rate)}."
    )
    evidence = Evidence(
        what="the slope of log(root mean squared error) on log(samples)",
        found=rate.slope.value,
        expected=-0.5,
        uncertainty=(rate.slope.high - rate.slope.low) / 2,
        point=site.name,
    )
    status: Status = "failed" if wrong else "passed"
    return _finding(hearing, site, ".rate", status, reason, evidence, rate.p_value, used, seconds)


def _slope(rate: Rate) -> str:
    return f"{rate.slope.value:.3f} (95 %: {rate.slope.low:.3f} to {rate.slope.high:.3f})"


def _cosine_finding(
    hearing: Hearing, site: Site, levels: list[Level], table: list[Measured], alpha: float
) -> Finding:
    tests = [against_law(level, each) for level, each in zip(levels, table, strict=True)]
    adjusted = holm([test.p_value for test in tests])
    worst = min(range(len(tests)), key=lambda i: adjusted[i])
    wrong = adjusted[worst] * RESERVE <= alpha
    law, shrunk = cosine_law(levels[worst]), math.sqrt(float(np.mean(table[-1].shrunk)))
    reason = (
        f"the cosine with {levels[worst].samples:.0f} samples is {tests[worst].mean:.4f} +- "
        f"{tests[worst].error:.2g}, by its law {law:.4f}; with {levels[-1].samples:.0f}, shrunk, the "
        f"relative error is {shrunk:.3f}, by its law {1 / math.sqrt(1 + levels[-1].ratio):.3f}."
    )
    evidence = Evidence(
        what=f"the mean cosine with {levels[worst].samples:.0f} samples",
        found=tests[worst].mean,
        expected=law,
        uncertainty=law_is_off(levels[worst]),
        point=site.name,
    )
    status: Status = "failed" if wrong else "passed"
    return _finding(hearing, site, ".cosine", status, reason, evidence, adjusted[worst])


def _shrunk_finding(
    hearing: Hearing, site: Site, levels: list[Level], table: list[Measured], alpha: float
) -> Finding:
    tests = [shrunk_against_law(level, each) for level, each in zip(levels, table, strict=True)]
    adjusted = holm([test.p_value for test in tests])
    worst = min(range(len(tests)), key=lambda i: adjusted[i])
    wrong = adjusted[worst] * RESERVE <= alpha
    law = shrunk_law(levels[worst])
    reason = (
        f"the mean squared error with {levels[worst].samples:.0f} samples, shrunk, is "
        f"{tests[worst].mean:.4f} +- {tests[worst].error:.2g} times that of its law, which is {law:.4g} of "
        "the gradient's square."
    )
    evidence = Evidence(
        what=f"the mean squared error with {levels[worst].samples:.0f} samples, shrunk, over its law",
        found=tests[worst].mean,
        expected=1.0,
        uncertainty=tests[worst].error,
        point=site.name,
    )
    status: Status = "failed" if wrong else "passed"
    return _finding(hearing, site, ".shrunk", status, reason, evidence, adjusted[worst])


def _finding(
    hearing: Hearing,
    site: Site,
    part: str,
    status: Status,
    reason: str,
    evidence: Evidence | None = None,
    p_value: float | None = None,
    evaluations: float = 0.0,
    seconds: float = 0.0,
) -> Finding:
    place = f"{hearing.where}, {site.name}"
    return Finding(
        NAME + part,
        status,
        reason,
        place,
        hearing.dtype,
        evidence,
        p_value=p_value,
        evaluations=evaluations,
        seconds=seconds,
    )
