"""Two gradients that should be equal, compared: the finding of an invariance."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.judging.hearing import Numbers
from gradmark.judging.invariances.binding import Unfit
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.verdict import Evidence, Finding
from gradmark.measuring.norms import norm, ratio


def compared(
    name: str, subject: Subject, found: Numbers, expected: Numbers, slack: Mapping[str, float], words: str
) -> Finding:
    """Whether `found` is `expected` to `slack`, array by array; `words` say what the two are."""
    size, total = (math.hypot(*each) for each in ((norm(a) for a in expected.values()), slack.values()))
    if not total < size:
        raise Unfit(f"what rounding may do, {total:.1e}, is as large as the gradient itself, {size:.1e}.")
    apart = {each: _distance(found[each], expected[each]) for each in expected}
    worst = max(apart, key=lambda each: ratio(apart[each], slack[each]))
    if all(apart[each] <= slack[each] for each in apart):
        reason = f"{words} agree: they differ by {math.hypot(*apart.values()) / size:.1e} of the gradient."
        return finding(name, subject, "passed", reason, smallest_detectable=total / size)
    error = ratio(apart[worst], norm(expected[worst]))
    allowed = ratio(slack[worst], norm(expected[worst]))
    reason = f"{words} differ in `{worst}`: by {error:.1e} of it, where rounding may do {allowed:.1e}."
    evidence = _evidence(subject, words, worst, found[worst], expected[worst], slack[worst], error)
    return finding(name, subject, "failed", reason, evidence=evidence)


def finding(name: str, subject: Subject, status: Any, reason: str, **more: Any) -> Finding:
    """A finding of the invariance `name` at the subject's site."""
    hearing = subject.hearing
    return Finding(
        f"invariance.{name}",
        status,
        reason,
        where=f"{hearing.where}, {subject.site.name}",
        dtype=hearing.dtype,
        **more,
    )


def _distance(found: Any, expected: Any) -> float:
    with np.errstate(invalid="ignore"):
        apart = norm(found - expected)
    return apart if math.isfinite(apart) else math.inf


def _evidence(
    subject: Subject, words: str, name: str, found: Any, expected: Any, slack: float, error: float
) -> Evidence:
    with np.errstate(invalid="ignore"):
        worst = np.unravel_index(int(np.argmax(np.abs(found - expected))), found.shape)
    index = tuple(int(each) for each in worst)
    return Evidence(
        what=words,
        array=name,
        index=index,
        found=float(found[index]),
        expected=float(expected[index]),
        uncertainty=slack,
        error=error,
        point=subject.site.name,
    )
