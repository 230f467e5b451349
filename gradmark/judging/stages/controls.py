"""Controls: is the judge awake? Impostors of known size, before the same rule as the method's own answers.

They are made from the reference, each wrong by ten times what this validation says that it would see. A judge
who lets one pass has no business saying "correct": the verdict is then undecided.
"""

from collections.abc import Iterator, Sequence

from gradmark.claims import Biased, Claims, Estimated
from gradmark.judging.comparing.aimed import aimed_at, is_known
from gradmark.judging.comparing.bounds import bound_at
from gradmark.judging.comparing.compared import compared
from gradmark.judging.comparing.impostors import impostors
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.replicating.random_impostors import random_impostors
from gradmark.judging.verdict import Finding, Status
from gradmark.reference import NoReference

NAME = "controls"


def applies(claims: Claims) -> str | None:
    """Methods whose answers are compared with something."""
    if isinstance(claims.exactness, Estimated):
        return "an impostor that states a large error breaks no claim."
    if isinstance(claims.exactness, Biased):
        return f"nothing is claimed that an impostor could break: {claims.exactness}"
    if claims.target.kind != "smoothed gradient" and not is_known(claims):
        return f"it aims at the {claims.target}, not at a gradient"
    return None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """A finding for each problem; for a random method, those of `random_impostors`."""
    if hearings[0].method.claims.stochastic:
        yield from random_impostors(hearings)
        return
    for number, hearing in enumerate(hearings):
        if hearing.clock.left() <= 0:
            reason = f"no time was left for {len(hearings) - number} problems: give a larger `budget`."
            yield _finding(hearing, "undecided", reason)
            return
        yield _of(hearing)


def _of(hearing: Hearing) -> Finding:
    """The second site: what was frozen at the first one is wrong there."""
    first, site = sites(hearing.problem, hearing.seed)[:2]
    try:
        frozen = aimed_at(hearing, first).gradient
        reference = aimed_at(hearing, site)
    except NoReference as error:
        return _finding(hearing, "skipped", f"there is no reference at this point: {error}")
    bound = bound_at(hearing, site, reference)
    resolution = bound.detectable(reference)
    if resolution is None:
        return _finding(hearing, "skipped", "the gradient is zero here.")
    shown = list(impostors(reference.gradient, resolution, frozen))
    passed = [each.fault for each in shown if not compared(each.gradient, reference, bound).wrong]
    if passed:
        return _finding(hearing, "undecided", f"the judge let an impostor pass: {', '.join(passed)}.")
    return _finding(hearing, "passed", f"caught: {', '.join(each.fault for each in shown)}.")


def _finding(hearing: Hearing, status: Status, reason: str) -> Finding:
    return Finding(NAME, status, reason, where=hearing.where, dtype=hearing.dtype)
