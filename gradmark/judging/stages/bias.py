"""Bias: what finite moves add to an estimate, seen without its noise.

Coupled with the exact slopes along its own moves (`gradmark.judging.watching.coupled`), the estimate of a
polynomial shows its bias in one call: it falls with sigma^2, and its mean is that of the smoothed gradient
for the declared law of the moves. A method that claims the gradient itself must show none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.claims import Claims, Unbiased
from gradmark.errors import UsageError
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.judging.watching.coupled import (
    Coupled,
    coupled,
    exact_gradient,
    shares_of,
    smallest_sigma,
    with_sigma,
)
from gradmark.judging.watching.identifying import checks
from gradmark.judging.watching.seeing import Seen, see
from gradmark.judging.watching.vanishing import vanishing
from gradmark.judging.watching.watched import Hidden, flat, watched
from gradmark.measuring.skew_corrected import RESERVE, corrected_interval, mean_test, too_skewed
from gradmark.measuring.spending import share
from gradmark.noise_laws import noise_law
from gradmark.random import generator
from gradmark.reference import NoReference

NAME = "bias"
_SIGMAS = (1.0, 2.0, 4.0)
_CALLS, _MORE = 40, 4
"""Calls, and times as many where a few of their directions make up the mean."""
_ORDER, _WITHIN = 2.0, 0.05
"""Mirrored moves leave sigma^2 and nothing else on a polynomial of degree 4; the margin is that of any claim
of an order."""
_ABOVE_ROUNDING = 100.0
"""A difference so many times above rounding shows its order to a hundredth."""


@dataclass(frozen=True)
class _Case:
    """The smallest sigma at which rounding leaves the bias to be seen, and the exact gradient there."""

    hearing: Hearing
    seed: int
    sigma: float
    gradient: Any

    def finding(self, check: str, status: Status, reason: str, **more: Any) -> Finding:
        where, dtype = self.hearing.where, self.hearing.dtype
        name = f"{NAME}.{check}" if check else NAME
        return Finding(name, status, reason, where=where, dtype=dtype, **more)


def applies(claims: Claims) -> str | None:
    """Methods that claim to be unbiased."""
    return None if isinstance(claims.exactness, Unbiased) else "it claims no mean over seeds"


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Findings for each problem on which queries can be seen and the exact gradient is known."""
    alpha = share(hearings[0].false_alarm, STATISTICAL * len(hearings))
    for hearing in hearings:
        yield from bias_of(hearing, alpha)


def bias_of(hearing: Hearing, alpha: float, number: int = _CALLS) -> Iterator[Finding]:
    """The findings on one problem; the one statistical test among them may spend `alpha`."""
    begun = hearing.clock.spent()
    case = _Case(
        hearing, int(generator(hearing.seed, "judge", 2).integers(2**30)), smallest_sigma(hearing), None
    )
    try:
        case = replace(case, gradient=exact_gradient(hearing))
        made = list(_slopes(case) if not hearing.method.claims.black_box else _losses(case, alpha, number))
    except (Hidden, NoReference) as error:
        made = [case.finding("", "skipped", f"{str(error).rstrip('.')}.")]
    for position, found in enumerate(made):
        yield found if position else replace(found, seconds=hearing.clock.spent() - begun)


def _slopes(case: _Case) -> Iterator[Finding]:
    """Tangents give slopes, which have no bias at all."""
    seen = see(watched(case.hearing), case.seed)
    yield from _none_left(case, seen, coupled(seen, case.gradient), 1.0)


def _losses(case: _Case, alpha: float, number: int) -> Iterator[Finding]:
    problem: Any = case.hearing.problem
    heard = [with_sigma(case.hearing, case.sigma * factor) for factor in _SIGMAS]
    known = [each for each in heard if each is not None]
    if len(known) < len(heard):
        raise Hidden("no hyper-parameter of it is the sigma of its moves, so that it cannot be made larger")
    seen = [see(watched(each), case.seed) for each in known]
    failed = [found for each in seen for found in checks(each, NAME) if found.status != "passed"]
    if failed:
        yield failed[0]
        return
    found = [coupled(each, case.gradient) for each in seen]
    cost = sum(each.queries.answer.work.evaluations for each in seen)
    if case.hearing.method.claims.target.kind == "gradient":
        yield from _none_left(case, seen[0], found[0], cost)
        return
    if getattr(problem, "smoothed_form", None) is None:
        vanishes = vanishing(found, _SIGMAS, case.gradient, problem.smoothness)
        yield case.finding("vanishing", *vanishes, evaluations=cost)
        return
    if problem.smoothness == "smooth":
        order = _order(case, found, cost)
        yield order
        if order.status == "failed":
            return
    yield from _constant(case, known[-1], alpha, number)


def _order(case: _Case, found: list[Coupled], cost: float) -> Finding:
    sizes = [float(np.linalg.norm(each.difference)) for each in found]
    if sizes[0] < _ABOVE_ROUNDING * found[0].rounding:
        reason = (
            f"what its finite moves add is {sizes[0]:.1g}, and {found[0].rounding:.1g} of it may be rounding."
        )
        return case.finding("order", "skipped", reason, evaluations=cost)
    order = float(np.polyfit(np.log2(_SIGMAS), np.log2(sizes), 1)[0])
    said = f"what its finite moves add grows with sigma^{order:.3f}"
    evidence = Evidence("the order of the bias in sigma", found=order, expected=_ORDER, uncertainty=_WITHIN)
    if abs(order - _ORDER) <= _WITHIN:
        return case.finding("order", "passed", f"{said}.", evidence=evidence, evaluations=cost)
    reason = f"{said}, and smoothing adds sigma^2: its moves are not what they are taken for."
    return case.finding("order", "failed", reason, evidence=evidence, evaluations=cost)


def _constant(case: _Case, hearing: Hearing, alpha: float, number: int) -> Iterator[Finding]:
    """The mean over many calls of the part along the closed form's bias, in units of that."""
    law, problem = noise_law(hearing.method.claims.target.law), hearing.problem
    sigma = case.sigma * _SIGMAS[-1]
    if law is None:
        reason = f"the law `{hearing.method.claims.target.law}` of its moves is not known here."
        yield case.finding("constant", "skipped", reason)
        return
    form: Any = problem.smoothed_form  # type: ignore[attr-defined]
    try:
        smoothed = flat(form(problem.parameters, problem.default_draw, law, sigma))
    except UsageError as error:
        yield case.finding("constant", "skipped", str(error))
        return
    bias = np.asarray(smoothed - case.gradient, dtype=np.float64)
    if not np.any(bias):
        yield case.finding("constant", "skipped", "smoothing leaves this gradient as it is.")
        return
    shares, cost = shares_of(hearing, case.seed + 1, number, case.gradient, bias)
    if too_skewed(shares):
        shares, cost = shares_of(hearing, case.seed + 1, _MORE * number, case.gradient, bias)
    if too_skewed(shares):
        reason = f"a few of {shares.size} directions make up the mean of what finite moves add."
        yield case.finding("constant", "skipped", reason, evaluations=cost)
        return
    test, interval = mean_test(shares, 1.0), corrected_interval(shares, 0.98)
    wrong = test.p_value < alpha / RESERVE
    said = f"its bias is {test.mean:.3g} times that of {law.name} moves"
    reason = f"{said} (98 %: {interval.low:.3g} to {interval.high:.3g}), after {shares.size} directions."
    evidence = Evidence(
        "the mean bias over its closed form",
        found=test.mean,
        expected=1.0,
        uncertainty=(interval.high - interval.low) / 2,
    )
    status: Status = "failed" if wrong else "passed"
    yield case.finding("constant", status, reason, evidence=evidence, p_value=test.p_value, evaluations=cost)


def _none_left(case: _Case, seen: Seen, found: Coupled, cost: float) -> Iterator[Finding]:
    size, norm = float(np.linalg.norm(found.difference)), float(np.linalg.norm(case.gradient))
    what = "what is added to the exact slopes, over |g|"
    evidence = Evidence(what, found=size / norm, expected=0.0, uncertainty=found.rounding / norm)
    said = f"with exact slopes in the place of its own it would differ by {size / norm:.1g} of the gradient"
    if size <= found.rounding:
        reason = f"{said}, which is rounding."
        yield case.finding(
            "coupled",
            "passed",
            reason,
            evidence=evidence,
            evaluations=cost,
            smallest_detectable=2 * found.rounding / norm,
        )
        return
    reason = (
        f"{said}, and rounding explains {found.rounding / norm:.1g}: it claims the gradient as its mean, and "
        "finite moves have that of a smoothed loss: say `Target('smoothed gradient', law, sigma)`."
    )
    yield case.finding("coupled", "failed", reason, evidence=evidence, evaluations=cost)
