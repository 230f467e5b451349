"""Error estimates: where a method says how far off it may be, it is no further off than that.

An estimate bounds the 2-norm of the whole gradient's error. One that is passed by a little and rarely is
still an estimate; one that is passed by far, or at many points, is none.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gradmark.claims import Claims, Estimated, Exact
from gradmark.judging.comparing.aimed import is_known
from gradmark.judging.comparing.bounds import rounding_bound
from gradmark.judging.hearing import Answer, Hearing, MethodError
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site, sites
from gradmark.judging.verdict import Finding, Status
from gradmark.measuring.norms import norm
from gradmark.reference import NoReference, Reference

NAME = "estimates"
_SITES = 3
"""Points of each problem."""
_FAR = 10.0
"""An error of so many times the estimate is no accident."""
_OFTEN = 0.2
"""The share of points at which the error may be larger than the estimate, ..."""
_AT_LEAST = 3
"""... if it is so at this many."""


def applies(claims: Claims) -> str | None:
    """Deterministic methods that may say how far off they are."""
    if claims.stochastic:
        return "it is random: the statistical stages judge it"
    if isinstance(claims.exactness, Exact):
        return "it claims to be exact: `accuracy` judges it"
    return None if is_known(claims) else f"it aims at the {claims.target}, not at a gradient"


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """A finding for each point, and one for the share of points at which the estimate was too small."""
    ratios: list[float] = []
    for hearing in hearings:
        for site in sites(hearing.problem, hearing.seed)[:_SITES]:
            found, ratio = _judged(hearing, site)
            if found is not None:
                yield found
            if ratio is None and not ratios and found is None:
                yield from _gives_none(hearing)
                return
            ratios += [] if ratio is None else [ratio]
    over = sum(ratio > 1 for ratio in ratios)
    if over >= _AT_LEAST and over > _OFTEN * len(ratios):
        worst = max(ratios)
        reason = (
            f"its error is larger than it says at {over} of {len(ratios)} points, by up to {worst:.2g} times."
        )
        yield Finding(NAME, "failed", reason)


def _judged(hearing: Hearing, site: Site) -> tuple[Finding | None, float | None]:
    """The finding at one point, and the error over its estimate; no finding where the method gives none."""
    try:
        answer = hearing.call(site.parameters, hearing.seed, site.draw)
        if answer.estimate.error is None:
            return None, None
        reference = reference_at(hearing.problem, site, hearing.method.claims.reads)
    except (MethodError, NoReference) as trouble:
        return _finding(hearing, site, "skipped", f"nothing to compare here: {trouble}"), None
    said = float(answer.estimate.error)
    if np.isnan(said) or said < 0:
        return _finding(hearing, site, "failed", f"its error estimate is {said}."), None
    off = _error(answer, reference)
    ratio = _over(off, said + _granted(hearing, reference))
    status: Status = "failed" if ratio > _FAR else "passed"
    return _finding(hearing, site, status, f"it is off by {off:.2g} and says {said:.2g}."), ratio


def _finding(hearing: Hearing, site: Site, status: Status, reason: str) -> Finding:
    return Finding(NAME, status, reason, where=f"{hearing.where}, {site.name}", dtype=hearing.dtype)


def _over(error: float, allowed: float) -> float:
    """The error over what is allowed; an answer that is not finite is infinitely far off."""
    if not np.isfinite(error):
        return float("inf")
    return error / allowed if allowed else float("inf") if error else 0.0


def _error(answer: Answer, reference: Reference) -> float:
    return norm(np.array([norm(answer.gradient[name] - array) for name, array in reference.gradient.items()]))


def _granted(hearing: Hearing, reference: Reference) -> float:
    """What no method can know: rounding of the result, and the reference's own uncertainty."""
    bounds = rounding_bound(reference, hearing.dtype, hearing.method.claims.precision)
    return norm(np.array(list(bounds.values())))


def _gives_none(hearing: Hearing) -> Iterator[Finding]:
    if isinstance(hearing.method.claims.exactness, Estimated):
        yield Finding(
            NAME, "failed", "it claims its own error estimate, and gives none.", where=hearing.where
        )
    else:
        yield Finding(NAME, "skipped", "it gives no error estimate.", where=hearing.where)
