"""The references of quantities, computed once in a process: several methods and checks share them."""

from typing import Any

from gradmark.judging.places.shared import digest_of, once_at
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.quantities import named_arrays
from gradmark.reference import NoReference, Reference, quantity_reference
from gradmark.reference.point import widest_point

Shared = Reference | NoReference


def reference_of(question: Question, site: Site, direction: Any) -> Reference:
    """What the quantity is at `site` along `direction`. Raises `NoReference`, with the reason."""
    point = widest_point(question.hearing.problem, site.parameters, site.draw)
    along = "" if direction is None else digest_of(named_arrays(direction))

    def compute() -> Shared:
        try:
            return quantity_reference(
                question.hearing.problem, question.want, direction, site.parameters, site.draw
            )
        except NoReference as error:
            return error

    found = once_at(question.hearing.problem, point, (question.want, along), compute)
    if isinstance(found, NoReference):
        raise NoReference(str(found))
    return found
