"""How far a correct answer may be from the reference: by rounding, and by the claimed order and step."""

from typing import Any

from gradmark.claims import Truncated
from gradmark.judging.comparing.bounds import Bound, precision, rounding_bound
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.judging.quantities.truncation import allowed_by_steps
from gradmark.reference import Reference


def bound_of(question: Question, site: Site, direction: Any, reference: Reference) -> Bound:
    """The bound for the method's claims; `NoReference` where truncation cannot be told."""
    hearing = question.hearing
    rounding = rounding_bound(reference, hearing.dtype, hearing.method.claims.precision)
    claim = hearing.method.claims.exactness
    if not isinstance(claim, Truncated):
        return Bound(rounding, f"rounding in {precision(hearing)}")
    steps = allowed_by_steps(question, site, direction, reference, claim)
    return Bound(
        {name: rounding[name] + steps[name] for name in rounding},
        f"truncation of order {claim.order} and rounding in {precision(hearing)}",
    )
