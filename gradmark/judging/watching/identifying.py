"""Judging an estimator by one watched call: does it use the moves that it made, and new ones each time?"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Unbiased
from gradmark.judging.verdict import Evidence, Finding
from gradmark.judging.watching.coupled import exact_gradient
from gradmark.judging.watching.lines import shared
from gradmark.judging.watching.seeing import Seen
from gradmark.judging.watching.watched import parts
from gradmark.judging.watching.weights_and_mean import linear, scale
from gradmark.parameters import ravel
from gradmark.reference import NoReference


def in_span(seen: Seen, name: str) -> Finding:
    """The estimate is a sum of its own moves: it replays the noise that it used, array by array."""
    found, check = seen.weights, f"{name}.span"
    size = float(np.linalg.norm(seen.queries.estimate))
    visible = float(np.linalg.norm(found.residual_bound)) / size if size else 1.0
    if found.in_span:
        reason = f"its estimate lies in the span of its {_queries(seen)}, to a relative {visible:.1g}."
        return seen.finding(check, "passed", reason, smallest_detectable=visible)
    outside = float(np.linalg.norm(found.residual)) / size if size else math.inf
    worst = _worst_array(seen)
    reason = (
        f"{outside:.2g} of its estimate lies outside of the span of its own {_queries(seen)}, most in "
        f"`{worst}`: what it weights there is not how it moved (other noise, another order or another scale)."
    )
    evidence = Evidence(
        what="the part of the estimate outside of the span of its queries, relative",
        array=worst,
        found=outside,
        expected=0.0,
        uncertainty=visible,
        error=outside,
    )
    return seen.finding(check, "failed", reason, evidence=evidence)


def midpoints(seen: Seen, name: str) -> Finding | None:
    """Mirrored moves lie about the point itself; None where no move is mirrored."""
    found = seen.weights.lines
    if found.one_sided:
        return None
    said = f"the midpoint of two mirrored moves is {found.midpoint:.1g} off the point"
    if found.midpoint <= found.midpoint_rounding:
        return seen.finding(
            f"{name}.midpoints", "passed", f"{said}, where {found.midpoint_rounding:.1g} is rounding."
        )
    reason = f"{said}, and rounding explains {found.midpoint_rounding:.1g}: it moves about another point."
    evidence = Evidence(
        what="the distance of a midpoint from the point",
        found=found.midpoint,
        expected=0.0,
        uncertainty=found.midpoint_rounding,
    )
    return seen.finding(f"{name}.midpoints", "failed", reason, evidence=evidence)


def distinct(seen: Seen, name: str) -> Finding | None:
    """No move is made twice, where the declared variance counts on different ones; None where all differ."""
    found, claimed = seen.weights.lines, seen.watched.hearing.method.claims.exactness
    if not found.repeated or not found.dense or not isinstance(claimed, Unbiased):
        return None
    size, method, factor = len(seen.queries.estimate), seen.watched.hearing.method, _factor(seen, claimed)
    if factor is None:
        return None
    # Directions of length sqrt(P) have v = P - 1, the least without orthogonality.
    needed = getattr(method, claimed.samples) * (size - 1) / factor if factor > 0 else math.inf
    if found.count >= needed:
        return None
    reason = (
        f"{found.repeated} of its {found.moves} moves repeat another one: {found.count} directions are "
        f"different, and the variance that it declares needs {needed:.4g}."
    )
    return seen.finding(f"{name}.distinct", "failed", reason)


def fresh(seen: Seen, other: Seen, name: str) -> Finding:
    """Calls with different seeds make different moves."""
    found, check = seen.weights.lines, f"{name}.seeds"
    same = shared(found, other.weights.lines)
    # A few random coordinates may come again by chance; all of them do not.
    if same < found.count or found.count < 2:
        return seen.finding(check, "passed", f"seeds {seen.seed} and {other.seed} move in other directions.")
    reason = (
        f"seeds {seen.seed} and {other.seed} move in the same {found.count} directions: averaging over calls "
        "does not bring it nearer to its target."
    )
    return seen.finding(check, "failed", reason)


def checks(seen: Seen, name: str) -> Iterator[Finding]:
    """The findings of one call, up to the first that fails; what the call cost stands at the first."""
    answer = seen.queries.answer
    evaluations, seconds = answer.work.evaluations, answer.seconds
    for check in (in_span, midpoints, distinct, linear, scale):
        found = check(seen, name)
        if found is None:
            continue
        yield replace(found, evaluations=evaluations, seconds=seconds)
        evaluations = seconds = 0.0
        if found.status == "failed" or found.check.endswith("linear"):
            return


def _factor(seen: Seen, claimed: Unbiased) -> float | None:
    """The declared v at the problem; None where none is, or it takes a gradient that is not known."""
    hearing = seen.watched.hearing
    if claimed.factor_at is None:
        return claimed.variance_factor and claimed.variance_factor(len(seen.queries.estimate))
    try:
        gradient = exact_gradient(hearing)
    except NoReference:
        return None
    _, unravel = ravel({name: to_numpy(array) for name, array in hearing.problem.parameters.items()})
    factor = claimed.factor(hearing.problem, unravel(gradient))
    seen.watched.recording.clear()
    return factor


def _worst_array(seen: Seen) -> str:
    found = seen.weights
    excess = np.abs(found.residual) / found.residual_bound
    where = parts(seen.watched.hearing.problem.parameters)
    return max(where, key=lambda array: float(np.max(excess[where[array]], initial=0.0)))


def _queries(seen: Seen) -> str:
    return f"{seen.weights.lines.moves} {'tangents' if seen.queries.slopes else 'moves'}"
