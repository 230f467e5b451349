"""Unusual arguments: one row, strided arrays, parameters of extreme size."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Estimated, Exact, Truncated
from gradmark.draw import Draw
from gradmark.judging.comparing.bounds import bound_at
from gradmark.judging.comparing.compared import compared, fits
from gradmark.judging.comparing.range import out_of_range
from gradmark.judging.contracts.part import differing, listed, said, verdict_on
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm
from gradmark.problem import converted
from gradmark.reference import NoReference, Reference

_EXTREMES = {"tiny": 2.0**-12, "huge": 2.0**8}
"""Beside what parameters usually are; powers of two, so that scaling rounds nothing."""
_ANOTHER = 1_000
"""The seed of the draw that is compared with the built one; sites have the first ones."""
_ROOM = 0.5
"""Share of the dtype's exponents that reference and loss may use: products on the way need the rest."""


def inputs(hearing: Hearing, first: Answer, site: Site) -> Iterator[Finding]:
    """The findings draw, batch_of_one, strided and scales."""
    yield _draw(hearing, first, site)
    yield _batch_of_one(hearing, first, site)
    yield _strided(hearing, first, site)
    yield _scales(hearing, site)


def _draw(hearing: Hearing, first: Answer, site: Site) -> Finding:
    """Another draw has another gradient; `accuracy` asks methods for it that are compared one by one."""
    other = hearing.problem.draw(_ANOTHER + hearing.seed)
    there = Site("another draw", site.parameters, Draw(converted(other.arrays, hearing.problem.arrays)))
    if not site.draw.arrays or _loss(hearing, there) == _loss(hearing, site):
        return said(hearing, "draw", "skipped", "the loss is the same for every draw.")
    if hearing.method.claims.target.kind in ("mean gradient", "direction"):
        return said(hearing, "draw", "skipped", f"it aims at the {hearing.method.claims.target}.")
    answer = hearing.call(there.parameters, hearing.seed, there.draw)
    same = not differing(first.gradient, answer.gradient) and any(map(np.any, first.gradient.values()))
    fault = "for another draw it gives the same answer to the bit: it does not use the draw it is given."
    return verdict_on(hearing, "draw", fault if same else None, "another draw has another answer.", answer)


def _batch_of_one(hearing: Hearing, first: Answer, site: Site) -> Finding:
    """Right for one row too: said of methods that are right for all of them, the others `accuracy` judges."""
    if site.draw.count < 2:
        return said(hearing, "batch_of_one", "skipped", "its problem has one row at most.")
    row = Site("one row", site.parameters, site.draw.rows(0, 1))
    if not np.isfinite(_loss(hearing, row)):
        return said(hearing, "batch_of_one", "skipped", "the loss needs all of its rows.")
    answer = hearing.call(row.parameters, hearing.seed, row.draw)
    fault = None
    if [np.shape(a) for a in answer.gradient.values()] != [np.shape(a) for a in first.gradient.values()]:
        fault = "for a draw of one row the gradient has other arrays."
    elif not _finite(answer.gradient):
        fault = "for a draw of one row the gradient is not finite."
    elif _judged(hearing) and (wrong := _wrong(hearing, row, answer)) and not _wrong(hearing, site, first):
        fault = f"for a draw of one row {wrong}."
    return verdict_on(hearing, "batch_of_one", fault, "a draw of one row has its gradient.", answer)


def _wrong(hearing: Hearing, site: Site, answer: Answer) -> str | None:
    """How far off it is, if it is, in words."""
    reference = _reference(hearing, site)
    if reference is None or not fits(answer.gradient, reference):
        return None
    worst = compared(answer.gradient, reference, bound_at(hearing, site, reference))
    if not worst.wrong:
        return None
    return f"`{worst.array}` is off by {worst.error:.2g}, where {worst.allowed:.2g} is allowed"


def _strided(hearing: Hearing, first: Answer, site: Site) -> Finding:
    if hearing.problem.arrays.backend not in ("numpy", "torch"):
        return said(hearing, "strided", "skipped", "arrays of this backend have no strides.")
    answer = hearing.call(_with_strides(site.parameters, hearing), hearing.seed, site.draw)
    names = [
        name for name in differing(first.gradient, answer.gradient) if not _near(hearing, first, answer, site)
    ]
    fault = f"for parameters that are not contiguous it gives another {listed(names)}." if names else None
    return verdict_on(hearing, "strided", fault, "parameters need not be contiguous.", answer)


def _near(hearing: Hearing, one: Answer, other: Answer, site: Site) -> bool:
    """Within what rounding does, since products of strided arrays are added up in another order.

    A random method's rounding is not known here; but to read an array in the wrong order is no rounding. One
    that measures its steps may take others for it, and be elsewhere within the error that it states.
    """
    reference = _reference(hearing, site)
    if reference is not None and _judged(hearing):
        bound = bound_at(hearing, site, reference).arrays
        return all(norm(one.gradient[name] - other.gradient[name]) <= bound[name] for name in bound)
    stated = [float(e) for e in (one.estimate.error, other.estimate.error) if e is not None]
    if isinstance(hearing.method.claims.exactness, Estimated) and stated:
        apart = [norm(one.gradient[name] - other.gradient[name]) for name in one.gradient]
        return bool(norm(np.array(apart)) <= sum(stated))
    root = hearing.problem.arrays.epsilon**0.5
    return all(
        norm(one.gradient[name] - other.gradient[name]) <= root * norm(one.gradient[name])
        for name in one.gradient
    )


def _with_strides(parameters: Mapping[str, Any], hearing: Hearing) -> dict[str, Any]:
    """The same numbers as every second one of larger arrays."""
    found = {}
    for name, array in parameters.items():
        wide = np.repeat(to_numpy(array), 2, axis=-1) if array.ndim else to_numpy(array)
        made = converted({name: wide}, hearing.problem.arrays)[name]
        found[name] = made[..., ::2] if array.ndim else made
    return found


def _scales(hearing: Hearing, site: Site) -> Finding:
    answers, fault, tried = [], None, []
    for word, factor in _EXTREMES.items():
        numbers = {name: factor * to_numpy(array) for name, array in site.parameters.items()}
        there = Site(word, converted(numbers, hearing.problem.arrays), site.draw)
        if not _has_room(hearing, _loss(hearing, there)) or not _within(hearing, numbers):
            continue
        if out_of_range(hearing, there):
            continue
        tried.append(word)
        answers.append(hearing.call(there.parameters, hearing.seed, there.draw))
        reference = None if _finite(answers[-1].gradient) else _reference(hearing, there)
        if reference is not None and all(_has_room(hearing, a) for a in reference.gradient.values()):
            fault = f"for {word} parameters ({factor:g} times the built) it is not finite; the reference is."
    if not tried:
        return said(hearing, "scales", "skipped", "the loss itself is not carried there.")
    return verdict_on(
        hearing, "scales", fault, f"{' and '.join(tried)} parameters have a gradient.", *answers
    )


def _has_room(hearing: Hearing, numbers: Any) -> bool:
    """Whether the numbers are finite, and far from where the dtype ends."""
    xp: Any = hearing.problem.arrays.xp
    largest = float(xp.finfo(hearing.problem.arrays.dtype_object).max) ** _ROOM
    return bool(np.all(np.abs(numbers) < largest))


def _within(hearing: Hearing, numbers: Mapping[str, Any]) -> bool:
    bounds = hearing.problem.bounds
    return bounds is None or all(np.all((bounds[0] < a) & (a < bounds[1])) for a in numbers.values())


def _finite(gradient: Mapping[str, Any]) -> bool:
    return all(bool(np.all(np.isfinite(array))) for array in gradient.values())


def _judged(hearing: Hearing) -> bool:
    """Whether its answers can be compared with the gradient one by one."""
    claims = hearing.method.claims
    return isinstance(claims.exactness, Exact | Truncated) and claims.target.kind == "gradient"


def _reference(hearing: Hearing, site: Site) -> Reference | None:
    try:
        return reference_at(hearing.problem, site, hearing.method.claims.reads)
    except NoReference:
        return None


def _loss(hearing: Hearing, site: Site) -> float:
    """The loss in the problem's own dtype; NaN where it takes no such draw."""
    try:
        with np.errstate(all="ignore"):
            return float(to_numpy(hearing.problem.loss(site.parameters, site.draw)))
    except (ValueError, RuntimeError, TypeError, IndexError):
        return float("nan")
