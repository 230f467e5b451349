"""What the weights of a watched call say of the estimator's mean: are they linear, and of the right size?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.judging.verdict import Evidence, Finding
from gradmark.judging.watching.scales import slip
from gradmark.judging.watching.seeing import Seen
from gradmark.random import generator

_ADDITIVE = 8.0
"""Times the root of epsilon: linear methods add up to rounding, others miss by their own size."""

_UNLIKE = 0.1
"""Of their size: thousands of random numbers have their standard deviation within a few percent."""


def linear(seen: Seen, name: str) -> Finding | None:
    """The weights are linear in the losses; None where they are, line by line.

    Weights that mix lines, such as those of least squares, may still be linear as a whole: four more calls
    with other losses tell, and then nothing can be said about the scale here.
    """
    if seen.weights.linear and seen.weights.known_baseline:
        return None
    if _additive(seen):
        idle = int(np.sum(np.abs(seen.weights.weights) <= seen.weights.bent_bound))
        how = f"{idle} of {seen.weights.lines.count} directions have none" if idle else "they differ or mix"
        reason = (
            f"its weights are linear in the losses, but not the same for all directions ({how}): their mean "
            "is left to the stage `sequential`."
        )
        return seen.finding(f"{name}.linear", "skipped", reason)
    return _not_linear(seen, name)


def _not_linear(seen: Seen, name: str) -> Finding:
    bend = seen.weights.bent / max(float(np.linalg.norm(seen.weights.weights)), 1e-300)
    off = f"off a line by {bend:.2g} of their size, and not additive"
    if seen.weights.linear:
        off = "in one call they are, by a factor that the losses themselves decide"
    reason = (
        f"its weights are not linear in the losses ({off}): ranks, signs, selected or normalised losses do "
        "not have the gradient as their mean."
    )
    evidence = Evidence(what="weights against losses: distance from a line", found=bend, expected=0.0)
    return seen.finding(f"{name}.linear", "failed", reason, evidence=evidence)


def scale(seen: Seen, name: str) -> Finding:
    """The weights have the size that makes the mean of the estimate the gradient, for the declared sigma."""
    found, sigma, check = seen.weights, seen.sigma, f"{name}.scale"
    if sigma is None:
        reason = "it declares no sigma: the size of its weights is left to the stage `sequential`."
        return seen.finding(check, "skipped", reason)
    if seen.watched.hearing.method.claims.target.kind == "direction":
        return seen.finding(check, "skipped", "it claims a direction only, so that its size is its own.")
    value, error = found.scale(sigma), found.scale_error(sigma)
    said = f"its weights make {value:.6g} times the gradient (baseline: {found.baseline})"
    evidence = Evidence(
        what="the mean of the estimate over the gradient, by its weights",
        found=value,
        expected=1.0,
        uncertainty=error,
        error=abs(value - 1),
    )
    if abs(value - 1) <= error:
        reason = f"{said}, +- {error:.1g}, after {seen.queries.answer.work.evaluations:g} evaluations."
        return seen.finding(check, "passed", reason, evidence=evidence, smallest_detectable=2 * error)
    if not _additive(seen):  # a line through the losses of one call, and another one in the next
        return _not_linear(seen, name)
    why = slip(found, sigma) or _size_of_moves(seen, sigma)
    reason = f"{said}, not 1 +- {error:.1g}{f': {why}' if why else ''}."
    return seen.finding(check, "failed", reason, evidence=evidence)


def _size_of_moves(seen: Seen, sigma: float) -> str | None:
    """The size of its moves in words, where it is not the declared one."""
    size = float(np.sqrt(np.mean(np.asarray(seen.weights.lines.directions, dtype=np.float64) ** 2)))
    if abs(size / sigma - 1) <= _UNLIKE:
        return None
    return f"its moves have the standard deviation {size:.3g}, and it declares sigma={sigma:g}"


def _additive(seen: Seen) -> bool:
    """Whether the estimate of y + z is that of y and that of z added, and that of 2 y twice that of y.

    z are random numbers as large as the losses: they are in another order, so that another half is chosen,
    and no function of y, which selected or ranked losses could share with it.
    """
    size = float(np.std(seen.queries.values)) or 1.0
    one = _of_other_losses(seen, lambda values, z: values)
    two = _of_other_losses(seen, lambda values, z: 2 * values)
    other = _of_other_losses(seen, lambda values, z: size * z)
    both = _of_other_losses(seen, lambda values, z: values + size * z)
    slack = _ADDITIVE * seen.queries.precision**0.5 * float(np.linalg.norm(both))
    apart = float(np.linalg.norm(one + other - both)), float(np.linalg.norm(2 * one - two))
    return bool(max(apart) <= slack)


def _of_other_losses(seen: Seen, change: Callable[[Any, Any], Any]) -> Any:
    """The estimate of ``change(y, z)``, z the same standard normal numbers for the same queries."""
    lowered, random, problem = seen.watched.lowered(), generator(0, "judge", 41), seen.watched.hearing.problem

    def altered(values: Any) -> Any:
        z = problem.arrays.array(random.standard_normal(tuple(values.shape)))
        return change(lowered(values), z)

    return seen.watched.call(seen.seed, altered).estimate
