"""The contract: what every method owes whoever calls it, whatever it claims."""

from collections.abc import Iterator, Sequence

from gradmark.claims import Claims
from gradmark.judging.contracts.form import form
from gradmark.judging.contracts.inputs import inputs
from gradmark.judging.contracts.part import NAME as NAME
from gradmark.judging.contracts.part import said
from gradmark.judging.contracts.purity import purity, unchanged
from gradmark.judging.contracts.rebound import rebound
from gradmark.judging.contracts.work import work
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.places.sites import sites
from gradmark.judging.verdict import Finding


def applies(claims: Claims) -> str | None:
    """Every method."""
    return None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """A finding for each part, on each problem."""
    for number, hearing in enumerate(hearings):
        if hearing.clock.left() <= 0:
            reason = f"no time was left for {len(hearings) - number} problems: give a larger `budget`."
            yield said(hearing, "call", "undecided", reason)
            return
        try:
            yield from _of(hearing)
        except MethodError as error:
            did = "it declines what it says it supports: " if error.refusal else "it raises: "
            yield said(hearing, "call", "failed", f"{'' if error.result else did}{error}")


def _of(hearing: Hearing) -> Iterator[Finding]:
    """What the later parts rest on comes first: an answer without the right arrays can be asked no more."""
    here, elsewhere = sites(hearing.problem, hearing.seed)[:2]
    answer, finding = unchanged(hearing, here)
    made = [finding, *form(hearing, answer)]
    yield from made
    if any(found.status == "failed" for found in made):
        return
    yield from purity(hearing, answer, here, elsewhere)
    yield rebound(hearing, elsewhere)
    yield from work(hearing, answer, here)
    yield from inputs(hearing, answer, here)
