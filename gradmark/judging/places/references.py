"""The references that methods are judged by, computed once in a process: several methods share them.

A reference counts where it shares nothing with the method but the forward code, or where something that
shares nothing vouches for it (`gradmark.reference.vouch`); so nobody is judged against itself.
"""

from dataclasses import replace

from gradmark.arrays import epsilon
from gradmark.claims import Reads
from gradmark.judging.places.shared import once_at
from gradmark.judging.places.sites import Site
from gradmark.problem import Problem
from gradmark.reference import NoReference, Reference, best_reference
from gradmark.reference.carried import carried
from gradmark.reference.point import Point, widest_point

_SHARED: frozenset[Reads] = frozenset({"pullback", "torch graph"})
"""What references read of a problem beside its loss."""


def reference_at(problem: Problem, site: Site, reads: frozenset[Reads]) -> Reference:
    """The best reference at `site` that may judge a method which reads `reads`.

    Raises `NoReference`, with the reason, where there is none.
    """
    for independent_of in (frozenset[Reads](), reads & _SHARED):
        found = _remembered(problem, site, independent_of)
        if counts(found, reads):
            return found
    raise NoReference(
        f"{found.name} is computed from what the method reads, and nothing that reads the loss alone vouches "
        "for it here."
    )


def counts(reference: Reference, reads: frozenset[Reads]) -> bool:
    """Whether the reference, or what vouches for it, shares nothing with a method that reads `reads`.

    What vouches (the complex step, differences) reads the loss alone, and `uncertainty` holds what it left
    possible.
    """
    return reference.independent_of(reads) or bool(reference.vouched_by)


def words(reference: Reference) -> str:
    """The reference, and what vouched for it."""
    vouches = " and ".join(reference.vouched_by)
    return f"{reference.name}, vouched for by {vouches}" if vouches else reference.name


def _remembered(problem: Problem, site: Site, reads: frozenset[Reads]) -> Reference:
    point = widest_point(problem, site.parameters, site.draw)
    found = once_at(problem, point, ("reference", reads), lambda: _tried(point, reads))
    if isinstance(found, NoReference):
        raise NoReference(str(found))
    return found


def _tried(point: Point, reads: frozenset[Reads]) -> Reference | NoReference:
    try:
        found = best_reference(point.problem, point.parameters, point.draw, independent_of=reads)
    except NoReference as error:
        return error
    return _with_what_is_carried(found, point)


def _with_what_is_carried(reference: Reference, point: Point) -> Reference:
    """The reference with the rounding of a pass back, where that is more than its own.

    Where no layers are shown, each row's part of an array, and their sum, may be too small for a dtype.
    """
    try:
        extra = carried(point)
    except Exception:  # a layer's pullback may raise anything, which is not the reference's affair
        extra = None
    if extra is None:
        parts = 1 + point.draw.count
        lost = {name: parts * array.size**0.5 for name, array in reference.gradient.items()}
        return replace(reference, underflow=lost)
    unit, own = epsilon(reference.dtype), reference.rounding
    rounding = {name: max(own[name], unit * extra.rounding[name]) for name in own}
    return replace(reference, rounding=rounding, underflow=extra.underflow)
