"""Sequential: many estimates with different seeds, as numbers alone, against the declared mean and
variance.

For every random method, whether or not its queries can be seen. Looks at 256, 512, ... estimates share the
false-alarm probability (`gradmark.measuring.spending`); see `gradmark.judging.replicating.decision` for the
tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradmark.claims import Biased, Claims
from gradmark.judging.clock import OutOfTime
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.places.sites import Site, sites
from gradmark.judging.replicating.decision import MARGIN, Decision, Ruling, decide
from gradmark.judging.replicating.direction import shown_uphill
from gradmark.judging.replicating.estimates import Estimates, NoTarget, declaration_of, with_samples
from gradmark.judging.replicating.mean_and_variance_in_words import MEASURED, SAME, described, power
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.measuring.spending import share

NAME = "sequential"
_SAMPLES = 32
"""Samples in an estimate: enough that one is not too skewed, few enough that there are many estimates."""
_JUMPS = 64
"""Of a loss that is constant but for jumps an estimate is zero, or one of few numbers that are large. A mean
of fewer is not normal enough in the far tail."""
_USELESS = 0.5
"""A test that cannot see a scale of 1/2 or 3/2 shows nothing."""
QUICK = "quick"
"""A trial that carries this word beside the names of its stages is content with less."""
_QUICK_MARGIN = 0.1
"""A scale within 10 % takes a quarter of the estimates that 5 % takes."""
_SECONDS = 25.0
"""The longest that all problems together may take: 2^14 estimates of a small problem take 2 s."""


def applies(claims: Claims) -> str | None:
    """Random methods."""
    if not claims.stochastic:
        return "it is not random"
    if isinstance(claims.exactness, Biased) and claims.target.kind != "direction":
        return f"it claims no mean: {claims.exactness}"
    return None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Findings for each problem, at the point that it was built with."""
    alpha = share(hearings[0].false_alarm, STATISTICAL * len(hearings))
    begun = hearings[0].clock.spent()
    for number, hearing in enumerate(hearings):
        left = min(hearing.clock.left(), begun + _SECONDS - hearing.clock.spent())
        until = hearing.clock.spent() + left / (len(hearings) - number)
        yield from judged(hearing, sites(hearing.problem, hearing.seed)[0], alpha, until)


def judged(
    hearing: Hearing, site: Site, alpha: float, until: float, looks: tuple[int, ...] | None = None
) -> Iterator[Finding]:
    """The findings at one site, spending `alpha`, until the clock shows `until`."""

    def may_go_on() -> bool:
        return hearing.clock.spent() < until

    begun = hearing.clock.spent()
    try:
        method = with_samples(hearing, site, _SAMPLES)
        declared = declaration_of(hearing, site, method)
    except NoTarget as error:
        yield _bare(hearing, site, "skipped", str(error))
        return
    except OutOfTime as error:
        yield _bare(hearing, site, "undecided", f"{error} No estimates were made, which is too few to tell.")
        return
    drawn = Estimates(hearing, site, method)
    if hearing.method.claims.target.kind == "direction":
        status, reason, p_value = shown_uphill(drawn, declared.gradient, alpha, may_go_on)
        seconds = hearing.clock.spent() - begun
        yield _bare(hearing, site, status, reason, p_value, drawn.evaluations, seconds)
        return
    margin = _QUICK_MARGIN if QUICK in hearing.trial.roles else MARGIN
    decision = decide(drawn, declared, alpha, looks, may_go_on, margin)
    yield from _findings(_Case(hearing, site, drawn, hearing.clock.spent() - begun), decision)


@dataclass(frozen=True)
class _Case:
    hearing: Hearing
    site: Site
    drawn: Estimates
    seconds: float


def _findings(case: _Case, decision: Decision) -> Iterator[Finding]:
    if not decision.tested:
        reason = f"only {decision.count} estimates could be made in the time there was: too few to tell."
        used = case.drawn.evaluations
        yield _bare(case.hearing, case.site, "undecided", reason, None, used, case.seconds)
        return
    blamed = decision.fault
    if blamed is not None and case.hearing.problem.smoothness == "discontinuous" and decision.moved < _JUMPS:
        met = f"only {decision.moved} of {decision.count} estimates"
        reason = f"{met} met a jump of the loss here: too few to tell."
        yield _bare(case.hearing, case.site, "undecided", reason, None, case.drawn.evaluations, case.seconds)
        return
    if blamed is not None:
        yield _finding(case, decision, blamed, "failed")
        return
    for each in decision.tested:
        weak = each.name == "scale" and each.test.detectable > _USELESS
        yield _finding(case, decision, each, "undecided" if weak else "passed")


def _finding(case: _Case, decision: Decision, tested: Ruling, status: Status) -> Finding:
    test, first = tested.test, tested is decision.tested[0]
    wrong = status == "failed"
    words = SAME if wrong and decision.identical else f"{described(test, wrong)}{power(test, status)}"
    early = f", of which {test.seen} would do" if wrong and test.seen not in (None, decision.count) else ""
    evidence = Evidence(
        what=MEASURED[test.name],
        array=test.part,
        found=test.value.value,
        expected=0.0 if test.name in ("repeats", "bias") else 1.0,
        uncertainty=(test.value.high - test.value.low) / 2,
        point=case.site.name,
    )
    return Finding(
        check=f"{NAME}.{test.name}",
        status=status,
        reason=f"{words}, after {decision.count} estimates{early}.",
        where=f"{case.hearing.where}, {case.site.name}",
        dtype=case.hearing.dtype,
        evidence=evidence,
        smallest_detectable=test.detectable if test.name in ("scale", "arrays", "bias") else None,
        p_value=tested.p_value,
        evaluations=case.drawn.evaluations if first or wrong else 0.0,
        seconds=case.seconds if first or wrong else 0.0,
    )


def _bare(
    hearing: Hearing,
    site: Site,
    status: Status,
    reason: str,
    p_value: float | None = None,
    evaluations: float = 0.0,
    seconds: float = 0.0,
) -> Finding:
    place = f"{hearing.where}, {site.name}"
    return Finding(
        NAME,
        status,
        reason,
        place,
        hearing.dtype,
        p_value=p_value,
        evaluations=evaluations,
        seconds=seconds,
    )
