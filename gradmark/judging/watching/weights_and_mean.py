"""What the weights of a watched call say of the estimator's mean: are they linear, and of the right size?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.judging.verdict import Evidence, Finding
from gradmark.judging.watching.scales import slip
from gradmark.judging.watching.seeing import Seen

_ADDITIVE = 8.0
"""Times the root of epsilon: linear methods add up to rounding, others miss by their own size."""


def linear(seen: Seen, name: str) -> Finding | None:
    """The weights are linear in the losses; None where they are, line by line.

    Weights that mix lines, such as those of least squares, may still be linear as a whole: three more calls
    with other losses tell, and then nothing can be said about the scale here.
    """
    if seen.weights.linear and seen.weights.known_baseline:
        return None
    bend = seen.weights.bent / max(float(np.linalg.norm(seen.weights.weights)), 1e-300)
    if _additive(seen):
        reason = (
            "its weights are linear in the losses, but each hangs on several of them: their mean is left to "
            "the stage `sequential`."
        )
        return seen.finding(f"{name}.linear", "skipped", reason)
    reason = (
        f"its weights are not linear in the losses (off a line by {bend:.2g} of their size, and not "
        "additive): ranks, signs or normalised losses do not have the gradient as their mean."
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
    why = slip(found, sigma)
    reason = f"{said}, not 1 +- {error:.1g}{f': {why}' if why else ''}."
    return seen.finding(check, "failed", reason, evidence=evidence)


def _additive(seen: Seen) -> bool:
    """Whether the estimate of y + y^2 is that of y and that of y^2 added, and that of 2 y twice that of y."""
    one, two, square, both = (_of_other_losses(seen, power) for power in (_once, _twice, _square, _both))
    slack = _ADDITIVE * seen.queries.precision**0.5 * float(np.linalg.norm(both))
    apart = float(np.linalg.norm(one + square - both)), float(np.linalg.norm(2 * one - two))
    return bool(max(apart) <= slack)


def _of_other_losses(seen: Seen, change: Callable[[Any], Any]) -> Any:
    lowered = seen.watched.lowered()
    return seen.watched.call(seen.seed, lambda values: change(lowered(values))).estimate


def _once(values: Any) -> Any:
    return values


def _twice(values: Any) -> Any:
    return 2 * values


def _square(values: Any) -> Any:
    return values * values


def _both(values: Any) -> Any:
    return values + values * values
