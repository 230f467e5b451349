"""What a call costs and says on the way: the passes it makes, and the loss it returns."""

import math
from collections.abc import Iterator

import numpy as np

from gradmark.arrays import epsilon, to_numpy
from gradmark.judging.comparing.bounds import precision
from gradmark.judging.contracts.part import said, verdict_on
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.places.sites import Site
from gradmark.judging.verdict import Evidence, Finding
from gradmark.problem import converted
from gradmark.reference.point import widest_point
from gradmark.work import Work, counting

_FRACTIONS = 1e-9
"""Relative: passes over some of the rows are fractions, and their sums round."""
_GRAPHS = ("torch graph", "jax trace", "autograd trace", "dual trace")
"""Whoever reads these may come by derivatives in any way."""
_VALUE = 1024.0
"""Epsilons between two ways of adding up one loss, beside what rounding did to the problem's own."""
_NARROW = 64.0
"""Epsilons of a narrower dtype that a method claims to compute in: of outputs, which are few sums deep."""


def work(hearing: Hearing, first: Answer, site: Site) -> Iterator[Finding]:
    """The findings work, reads and value."""
    yield _work(hearing, site)
    yield _reads(hearing, site)
    yield _value(hearing, first, site)


def _work(hearing: Hearing, site: Site) -> Finding:
    claimed = hearing.method.claims.work
    if claimed is None:
        return said(hearing, "work", "skipped", "it states no number of passes.")
    stated = claimed(hearing.problem)
    with counting() as counter:
        answer = hearing.call(site.parameters, hearing.seed, site.draw)
    counted = counter.total()
    said_itself = answer.estimate.work
    # What a compiled function does is not seen from outside: then what it declares is all there is.
    seen = {"it declares": said_itself} if said_itself.declared else {"were counted": counted}
    fault = _more_than_declared(counted, said_itself) if said_itself.declared else None
    for how, found in {**seen, "its estimate says": said_itself}.items():
        if not _agree(found, stated):
            fault = fault or f"it claims {_passes(stated)}, and {_passes(found)} {how}."
            break
    return verdict_on(hearing, "work", fault, f"it makes {_passes(stated)}, as it claims.", answer)


def _more_than_declared(counted: Work, declared: Work) -> str | None:
    """Compiled code hides passes and invents none: those that are seen in a repeated call were made."""
    if counted.evaluations <= declared.evaluations * (1 + _FRACTIONS) + _FRACTIONS:
        return None
    return f"it declares {_passes(declared)}, and {_passes(counted)} were counted."


def _reads(hearing: Hearing, site: Site) -> Finding:
    """Passes that ``claims.reads`` does not name: a reference that shares code with them may not judge it."""
    with counting() as counter:
        answer = hearing.call(site.parameters, hearing.seed, site.draw)
    counted, reads, fault = counter.total(), hearing.method.claims.reads, None
    listed = ", ".join(sorted(reads)) or "nothing"
    for what, number in (("pullback", counted.pullback), ("pushforward", counted.tangent)):
        if number and not reads & {what, *_GRAPHS}:
            fault = f"it says that it reads {listed}, and {number:g} {what} passes were counted."
    return verdict_on(
        hearing, "reads", fault, f"no pass was counted beside what it reads ({listed}).", answer
    )


def _agree(found: Work, stated: Work) -> bool:
    """Evaluations as stated; pullbacks too, where any are stated: a short form states evaluations alone."""
    return _close(found.evaluations, stated.evaluations) and (
        stated.pullback == 0 or _close(found.pullback, stated.pullback)
    )


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_FRACTIONS, abs_tol=_FRACTIONS)


def _passes(count: Work) -> str:
    return f"{count.evaluations:g} evaluations" + (
        f" and {count.pullback:g} pullbacks" if count.pullback else ""
    )


def _value(hearing: Hearing, first: Answer, site: Site) -> Finding:
    """`estimate.value`, where there is one, is the loss at the point."""
    value = first.estimate.value
    if value is None:
        return said(hearing, "value", "skipped", "it returns no loss.")
    point = widest_point(hearing.problem, site.parameters, site.draw)
    expected = float(point.loss(point.numbers))
    own = float(to_numpy(hearing.problem.loss(converted(site.parameters, hearing.problem.arrays), site.draw)))
    found, shape = float(np.ravel(to_numpy(value))[0]), tuple(np.shape(to_numpy(value)))
    unit, claimed = hearing.problem.arrays.epsilon, epsilon(precision(hearing))
    digits = _NARROW * claimed if claimed > unit else _VALUE * unit
    allowed = 2 * abs(own - expected) + digits * abs(expected)
    evidence = Evidence("the loss that it returns", None, None, found, expected, allowed, point=site.name)
    if shape != () or not abs(found - expected) <= allowed:
        reason = f"it returns {found:.10g} (shape {shape}) as the loss, which is {expected:.10g}."
        return said(hearing, "value", "failed", reason, evidence=evidence)
    return said(hearing, "value", "passed", "the loss it returns is that of the point.", evidence=evidence)
