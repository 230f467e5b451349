"""The references of quantities, computed once in a process: several methods and checks share them."""

from typing import Any

from gradmark.judging.places.references import content_of, digest_of
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.quantities import named_arrays
from gradmark.reference import NoReference, Reference, quantity_reference
from gradmark.reference.point import widest_point
from gradmark.remembering import once_for

_KEPT = 256
_BY_CONTENT: dict[str, Reference | NoReference] = {}
Shared = Reference | NoReference


def reference_of(question: Question, site: Site, direction: Any) -> Reference:
    """What the quantity is at `site` along `direction`. Raises `NoReference`, with the reason."""
    point = widest_point(question.hearing.problem, site.parameters, site.draw)
    along = "" if direction is None else digest_of(named_arrays(direction))
    content = content_of(point)

    def compute() -> Shared:
        try:
            return quantity_reference(
                question.hearing.problem, question.want, direction, site.parameters, site.draw
            )
        except NoReference as error:
            return error

    if content is None:
        key = (question.want, along, digest_of(site.parameters), digest_of(site.draw.arrays))
        found = once_for(question.hearing.problem, key, compute)
    else:
        found = _remembered(f"{question.want} {along} {content}", compute)
    if isinstance(found, NoReference):
        raise NoReference(str(found))
    return found


def _remembered(key: str, compute: Any) -> Shared:
    if key not in _BY_CONTENT:
        while len(_BY_CONTENT) >= _KEPT:
            del _BY_CONTENT[next(iter(_BY_CONTENT))]
        _BY_CONTENT[key] = compute()
    return _BY_CONTENT[key]
