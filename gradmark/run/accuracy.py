"""How wrong a method is: one record for each measure of error, over the seeds it was tried with."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gradmark.claims import Unbiased
from gradmark.run.records import Record
from gradmark.run.session import Candidate, Session

if TYPE_CHECKING:
    from gradmark.measuring.error import ErrorProfile
    from gradmark.measuring.interval import Interval
    from gradmark.reference import Reference

MEASURES = {"digits": "decimal digits", "cosine": "", "norm_ratio": "", "ulp": "ulp"}
"""Measures beside "error", with their units; over several seeds their mean is recorded."""


def error_records(
    session: Session, candidate: Candidate, profiles: Sequence["ErrorProfile"], reference: "Reference"
) -> list[Record]:
    """The records of a method's error: of its one answer, or over the seeds it was tried with.

    "error" is the relative 2-norm error, over seeds the root of its mean square; "digits", "cosine",
    "norm_ratio" and "ulp" are means. `low` and `high` are the 95 % t interval over the seeds, None for one.
    The detail of "error" holds the errors by array and the fraction that underflowed, of the first answer;
    of an unbiased method also the variance factor that it claims here, the error and cosine that follow, and
    the scale <g_hat, g> / |g|^2 over the seeds: 1 on average where the mean is the gradient.
    """
    from gradmark.measuring.statistics import mean_interval, root_mean_square_interval

    repetitions = {"repetitions": len(profiles)}
    arrays = {name: asdict(array) for name, array in profiles[0].arrays.items()}
    lost = {"underflowed": profiles[0].underflowed}
    claimed = _of_claim(session, candidate, reference) | _scale(candidate, profiles)
    detail = {**_of_reference(reference), "arrays": arrays, **lost, **repetitions, **claimed}
    error = _over_seeds(root_mean_square_interval, [profile.relative for profile in profiles])
    finite = all(math.isfinite(profile.relative) for profile in profiles)
    why = None if finite else f"the {session.want} is not finite, or its error is beyond all numbers"
    records = [session.record(candidate.key, "error", unit="relative", detail=detail, reason=why, **error)]
    for name, unit in MEASURES.items():
        mean = _over_seeds(mean_interval, [float(getattr(profile, name)) for profile in profiles])
        more = {"float_class": str(profiles[0].float_class)} if name == "digits" else {}
        records.append(session.record(candidate.key, name, unit=unit, detail={**repetitions, **more}, **mean))
    return records


def without_value(
    session: Session, candidate: Candidate, quantities: Sequence[str], status: Any, reason: str
) -> list[Record]:
    """Records that say why these quantities of a case have no value."""
    return [
        session.record(candidate.key, quantity, None, status=status, reason=reason) for quantity in quantities
    ]


def _over_seeds(
    estimate: Callable[[Sequence[float]], "Interval"], values: Sequence[float]
) -> dict[str, float | None]:
    """`value`, `low` and `high` of a record; one value is recorded as it is, without an interval."""
    if len(values) == 1 or not all(map(math.isfinite, values)):
        return {"value": sum(values) / len(values), "low": None, "high": None}
    interval = estimate(values)
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _of_claim(session: Session, candidate: Candidate, reference: "Reference") -> dict[str, float]:
    """What the method's claim predicts of its error at this problem, where it is unbiased."""
    exactness = candidate.method.claims.exactness
    samples = getattr(candidate.method, getattr(exactness, "samples", ""), None)
    if not isinstance(exactness, Unbiased) or not isinstance(samples, int | float):
        return {}
    if not exactness.declares_variance:
        return {}
    factor = exactness.factor(session.problem, reference.gradient)
    return {
        "variance_factor": factor,
        "predicted_error": math.sqrt(factor / samples),
        "predicted_cosine": math.sqrt(samples / (samples + factor)),
    }


def _scale(candidate: Candidate, profiles: Sequence["ErrorProfile"]) -> dict[str, dict[str, float | None]]:
    """The mean of <g_hat, g> / |g|^2 with its interval, of a random method over several seeds."""
    from gradmark.measuring.statistics import mean_interval

    if not candidate.method.claims.stochastic or len(profiles) == 1:
        return {}
    return {"scale": _over_seeds(mean_interval, [each.cosine * each.norm_ratio for each in profiles])}


def _of_reference(reference: "Reference") -> dict[str, Any]:
    """The reference's name, who vouches for it, and its own uncertainty relative to the gradient's norm."""
    return {
        "reference": reference.name,
        "uncertainty": reference.relative_uncertainty,
        "vouched_by": list(reference.vouched_by),
    }
