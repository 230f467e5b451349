"""Invariances of exact and truncated methods, which need no reference (`gradmark.judging.invariances`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import ModuleType

from gradmark.claims import Claims, Exact, Truncated
from gradmark.judging.hearing import Hearing
from gradmark.judging.invariances import additivity, direction, linearity, permutation
from gradmark.judging.invariances.binding import Unfit
from gradmark.judging.invariances.comparison import finding
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.places.sites import sites
from gradmark.judging.verdict import Finding

NAME = "invariance"
_INVARIANCES: tuple[ModuleType, ...] = (additivity, linearity, permutation, direction)
_SITES = 2
"""As built, and after descent: what does not depend on the point need not be asked everywhere."""


def applies(claims: Claims) -> str | None:
    """It examines exact and truncated methods that aim at the gradient itself."""
    if not isinstance(claims.exactness, Exact | Truncated):
        return "it is neither exact nor truncated: its invariances hold on average only."
    return None if claims.target.kind == "gradient" else f"it aims at the {claims.target.kind}."


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """A finding for each invariance, problem and point."""
    quick = [each for each in hearings if not _compiles(each)] or hearings[:1]
    for hearing in hearings:
        chosen = _chosen(hearing, any(hearing is each for each in quick))
        for site in sites(hearing.problem, hearing.seed)[:_SITES] if chosen else ():
            subject = Subject(hearing, site)
            for invariance in chosen:
                yield _examined(invariance, subject)


def _compiles(hearing: Hearing) -> bool:
    """Whether another shape or another loss is compiled anew."""
    return hearing.problem.arrays.backend == "jax" or hearing.method.claims.compiles


def _chosen(hearing: Hearing, every: bool) -> tuple[ModuleType, ...]:
    """Every one; or those for which nothing is compiled again, where the others are asked elsewhere."""
    if every:
        return _INVARIANCES
    return () if isinstance(hearing.method.claims.exactness, Truncated) else (permutation, direction)


def _examined(invariance: ModuleType, subject: Subject) -> Finding:
    before = replace(subject.tally)
    try:
        found: Finding = invariance.examine(subject)
    except Unfit as reason:
        found = finding(invariance.NAME, subject, "skipped", str(reason))
    tally = subject.tally
    return replace(found, evaluations=tally.passes - before.passes, seconds=tally.seconds - before.seconds)
