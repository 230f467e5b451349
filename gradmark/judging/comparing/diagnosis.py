"""What a wrong gradient looks like: a few kinds of fault are known at sight, and said in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.claims import Truncated
from gradmark.judging.comparing.aimed import aimed_at
from gradmark.judging.comparing.bounds import Bound, bound_at, precision
from gradmark.judging.comparing.compared import compared
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import Site, sites
from gradmark.measuring.error import profile
from gradmark.reference import NoReference, Reference

_CLASSES = ("float64", "float32", "float16", "bfloat16")


def diagnosis(
    hearing: Hearing, site: Site, gradient: Mapping[str, Any], reference: Reference, bound: Bound
) -> str:
    """A clause about a wrong `gradient`, empty where nothing is known."""
    if not all(np.all(np.isfinite(array)) for array in gradient.values()):
        return "it is not finite"
    if not any(np.any(array) for array in gradient.values()):
        return "it is zero"
    return (
        _frozen(hearing, site, gradient)
        or _proportional(gradient, reference, bound)
        or _coarse(hearing, gradient, reference)
    )


def _frozen(hearing: Hearing, site: Site, gradient: Mapping[str, Any]) -> str:
    """Whether it is the gradient of what the method saw when it was prepared."""
    built = sites(hearing.problem, hearing.seed)[0]
    if site.name == built.name:
        return ""
    elsewhere = {
        "of the parameters it was prepared with, not of those it is given": Site(
            "", built.parameters, site.draw
        ),
        "of the data it was prepared with, not of the draw it is given": Site(
            "", site.parameters, built.draw
        ),
        "of the point it was prepared at, whatever it is given": built,
    }
    for words, other in elsewhere.items():
        if not _same(other, site) and _right_at(hearing, other, gradient):
            return f"it is the gradient {words}"
    return ""


def _same(one: Site, other: Site) -> bool:
    return one.parameters is other.parameters and one.draw is other.draw


def _right_at(hearing: Hearing, site: Site, gradient: Mapping[str, Any]) -> bool:
    try:
        reference = aimed_at(hearing, site)
    except NoReference:
        return False
    return not compared(gradient, reference, bound_at(hearing, site, reference)).wrong


def _proportional(gradient: Mapping[str, Any], reference: Reference, bound: Bound) -> str:
    """Whether it is the reference times a number."""
    products = sum(np.sum(gradient[name] * array) for name, array in reference.gradient.items())
    squares = sum(np.sum(array * array) for array in reference.gradient.values())
    factor = float(products / squares) if squares > 0 else 0.0
    if factor == 0:
        return ""
    scaled = {name: np.asarray(array, np.longdouble) / factor for name, array in gradient.items()}
    if compared(scaled, reference, bound).wrong:
        return ""
    return (
        "its sign is flipped"
        if abs(factor + 1) < abs(factor) * 1e-3
        else f"it is the gradient times {factor:.6g}"
    )


def _coarse(hearing: Hearing, gradient: Mapping[str, Any], reference: Reference) -> str:
    """Whether its error is the rounding of a narrower dtype than the one it claims."""
    if isinstance(hearing.method.claims.exactness, Truncated):
        return ""  # its error is that of steps, and as large as a narrower dtype's by chance
    claimed, found = precision(hearing), profile(gradient, reference, hearing.dtype).float_class
    if found in _CLASSES and epsilon(found) > epsilon(claimed):
        return f"its digits are those of {found}: it is {found}-class, and {claimed} is claimed"
    return ""
