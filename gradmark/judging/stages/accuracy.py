"""Accuracy: at every site, array by array, the gradient is as near to the reference as is claimed."""

from collections.abc import Iterator, Sequence
from typing import Any

from gradmark.arrays import epsilon
from gradmark.claims import Biased, Claims, Estimated, Truncated
from gradmark.judging.comparing.aimed import aimed_at, is_known
from gradmark.judging.comparing.bounds import Bound, bound_at, precision
from gradmark.judging.comparing.compared import Worst, compared, fits
from gradmark.judging.comparing.diagnosis import diagnosis
from gradmark.judging.comparing.owned import owned, too_often
from gradmark.judging.comparing.range import out_of_range
from gradmark.judging.comparing.uphill import not_uphill
from gradmark.judging.hearing import Answer, Hearing, MethodError
from gradmark.judging.places.references import reference_at, words
from gradmark.judging.places.sites import BESIDE_A_KINK, Site, sites
from gradmark.judging.repeating import line
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.measuring.error import profile
from gradmark.reference import NoReference, Reference

NAME = "accuracy"
_NEEDED = {True: 0.01, False: 0.5}
"""A site where a larger fault could pass shows nothing: rounding or kinks hide it. Narrower dtypes than
float64 are asked for less: differences and bfloat16 have no more to give, and gross faults are still seen."""


def applies(claims: Claims) -> str | None:
    """Methods that claim the gradient or its clipped form, exactly or to an order; and fixed directions."""
    if claims.stochastic:
        return "it is random: the statistical stages judge it"
    if isinstance(claims.exactness, Estimated):
        return "it claims what its own error estimate says, which `estimates` judges"
    if isinstance(claims.exactness, Biased) and claims.target.kind != "direction":
        return f"it claims no accuracy: {claims.exactness}"
    if not isinstance(claims.exactness, Biased) and not is_known(claims):
        return f"it aims at the {claims.target}, not at the gradient"
    return None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """A finding for each site of each problem, and one where a method is excused at too many."""
    passing = owning = 0
    for number, hearing in enumerate(hearings):
        for site in sites(hearing.problem, hearing.seed):
            if hearing.clock.left() <= 0:
                yield _left_out(hearings[number:], site)
                return
            found = judge_at(hearing, site)
            yield found
            passing += found.status == "passed"
            owning += found.status == "skipped" and found.evidence is not None
    if fault := too_often(owning, passing):
        yield Finding(NAME, "failed", fault)


def judge_at(hearing: Hearing, site: Site) -> Finding:
    """Compare the method with the reference at one site."""
    if site.name == BESIDE_A_KINK and (stepping := _crosses(hearing)):
        return _finding(
            hearing, site, "skipped", f"{stepping} steps across the kink, which is no fault of it."
        )
    try:
        reference = aimed_at(hearing, site)
    except NoReference as error:
        return _finding(hearing, site, "skipped", f"there is no reference at this point: {error}")
    if isinstance(hearing.method.claims.exactness, Biased):
        return _direction(hearing, site)
    bound = bound_at(hearing, site, reference)
    detectable = bound.detectable(reference)
    fine = epsilon(precision(hearing)) <= epsilon("float64")
    if detectable is not None and not detectable <= _NEEDED[fine]:
        reason = f"{bound.words} may hide a fault of {detectable:.0%} of the gradient here."
        return _finding(hearing, site, "skipped", reason)
    if outside := out_of_range(hearing, site):
        return _finding(hearing, site, "skipped", f"{outside}.")
    try:
        answer = hearing.call(site.parameters, hearing.seed, site.draw)
    except MethodError as error:
        return _not_answered(hearing, site, error)
    if not fits(answer.gradient, reference):
        return _finding(
            hearing, site, "failed", "its names, shapes or dtypes are not the parameters'.", answer
        )
    return _compared(hearing, site, answer, reference, bound)


def _direction(hearing: Hearing, site: Site) -> Finding:
    """For a method that claims no more than to point along the gradient."""
    reference = reference_at(hearing.problem, site, hearing.method.claims.reads)
    if not reference.relative_uncertainty < 1:
        return _finding(hearing, site, "skipped", "the gradient may be zero here.")
    try:
        answer = hearing.call(site.parameters, hearing.seed, site.draw)
    except MethodError as error:
        return _not_answered(hearing, site, error)
    if not fits(answer.gradient, reference):
        return _finding(
            hearing, site, "failed", "its names, shapes or dtypes are not the parameters'.", answer
        )
    fault = not_uphill(answer.gradient, reference, hearing.method.claims.target)
    kept = f"it points along the gradient, by {words(reference)}"
    return _finding(hearing, site, "failed" if fault else "passed", f"{fault or kept}.", answer)


def _crosses(hearing: Hearing) -> str:
    """What may carry a correct method to the other side of a kink that is an epsilon away; else empty."""
    if isinstance(hearing.method.claims.exactness, Truncated):
        return "a difference"
    claimed = precision(hearing)
    return f"rounding to {claimed}" if epsilon(claimed) > epsilon(hearing.dtype) else ""


def _compared(hearing: Hearing, site: Site, answer: Answer, reference: Reference, bound: Bound) -> Finding:
    worst = compared(answer.gradient, reference, bound)
    errors = profile(answer.gradient, reference, hearing.dtype)
    excuse = owned(hearing, answer, reference) if worst.wrong else ""
    by = f"by {words(reference)}"
    if not worst.wrong:
        reason = f"within {worst.ratio:.2g} of what {bound.words} allows, {by}."
    else:
        what = diagnosis(hearing, site, answer.gradient, reference, bound)
        reason = f"{_words(worst)}{f'; {what}' if what else ''} ({by})."
    evidence = Evidence(
        what=f"the gradient of {hearing.name}",
        array=worst.array,
        index=worst.index,
        found=worst.found,
        expected=worst.expected,
        uncertainty=worst.allowed,
        error=errors.relative,
        point=site.name,
        code=line(hearing, site, worst.array, worst.index, hearing.seed),
    )
    if excuse:
        return _finding(hearing, site, "skipped", excuse, answer, evidence=evidence)
    return _finding(
        hearing,
        site,
        "failed" if worst.wrong else "passed",
        reason,
        answer,
        evidence=evidence,
        digits=errors.digits,
        smallest_detectable=bound.detectable(reference),
    )


def _words(worst: Worst) -> str:
    entry = f"`{worst.array}`[{', '.join(map(str, worst.index))}]"
    return (
        f"it gives {worst.found:.10g} for {entry} and the reference {worst.expected:.10g}: the array is off "
        f"by {worst.error:.2g} where {worst.allowed:.2g} is allowed"
    )


def _not_answered(hearing: Hearing, site: Site, error: MethodError) -> Finding:
    """A method may decline a point, not every one: that it declines what it was built for is a fault."""
    if error.refusal and site.name != sites(hearing.problem, hearing.seed)[0].name:
        return _finding(hearing, site, "skipped", f"it declines this point: {error}")
    said = "declines a problem that it says it supports" if error.refusal else "raises"
    return _finding(hearing, site, "failed", f"it {said}: {error}")


def _left_out(hearings: Sequence[Hearing], site: Site) -> Finding:
    rest = f" and {len(hearings) - 1} more problems" if len(hearings) > 1 else ""
    reason = f"no time was left from {hearings[0].where}, {site.name}, on{rest}: give a larger `budget`."
    return Finding(NAME, "undecided", reason, where=hearings[0].where, dtype=hearings[0].dtype)


def _finding(
    hearing: Hearing, site: Site, status: Status, reason: str, answer: Answer | None = None, **more: Any
) -> Finding:
    if answer is not None:
        more |= {"evaluations": answer.work.evaluations, "seconds": answer.seconds}
    return Finding(NAME, status, reason, where=f"{hearing.where}, {site.name}", dtype=hearing.dtype, **more)
