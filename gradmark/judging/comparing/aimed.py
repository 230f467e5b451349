"""What a method aims at, where that is the gradient changed by a formula: clipped, for a direction."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradmark.claims import Claims, Target
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site
from gradmark.measuring.norms import norm
from gradmark.reference import Reference

Bounds = Mapping[str, float]


def is_known(claims: Claims) -> bool:
    """Whether what the method aims at follows from the gradient by a formula."""
    target = claims.target
    return target.kind == "gradient" or (
        target.kind == "direction" and (target.longest is not None or target.largest is not None)
    )


def aimed_at(hearing: Hearing, site: Site) -> Reference:
    """The reference for what the method of `hearing` aims at; raises `NoReference`."""
    claims = hearing.method.claims
    return aimed(reference_at(hearing.problem, site, claims.reads), claims.target)


def aimed(reference: Reference, target: Target) -> Reference:
    """`reference` clipped as `target` says, with the errors that are left."""
    if target.longest is not None:
        return _shortened(reference, target.longest)
    if target.largest is None:
        return reference
    cut = {name: np.clip(a, -target.largest, target.largest) for name, a in reference.gradient.items()}
    return replace(reference, gradient=cut)  # no entry is further off than before


def _shortened(reference: Reference, longest: float) -> Reference:
    """g c / |g|: beside the error of its own, an array has its share of the error of |g|."""
    sizes = {name: norm(array) for name, array in reference.gradient.items()}
    length = norm(np.array(list(sizes.values())))
    if not length > longest:
        return reference
    factor = longest / length

    def left(bounds: Bounds) -> dict[str, float]:
        total = norm(np.array(list(bounds.values())))
        return {name: factor * (bound + sizes[name] / length * total) for name, bound in bounds.items()}

    return replace(
        reference,
        gradient={name: np.longdouble(factor) * array for name, array in reference.gradient.items()},
        uncertainty=left(reference.uncertainty),
        rounding=left(reference.rounding),
        underflow=left(reference.underflow) if reference.underflow else {},
    )
