"""Passes: counted, and compared exactly with what the method states, at every size and in their growth."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.verdict import Evidence, Finding
from gradmark.parameters import size
from gradmark.work import Work

_ROUNDING = 1e-9
"""Passes over parts of the rows are fractions, whose float64 sum may be off by some epsilons."""
_CHUNKS = 0.02
"""Passes that are made once for a chunk of directions add at most one in 50, and one for each array."""


def count(hearing: Hearing, answer: Answer) -> Finding:
    """Whether one call made the passes that ``claims.work`` states for this problem."""
    claims = hearing.method.claims
    assert claims.work is not None
    stated, counted = claims.work(hearing.problem), answer.work
    whose = "it says of this call itself" if counted.declared else "were counted"
    blank = Finding(
        "cost.count",
        "passed",
        f"{_words(counted)} {whose}, as it states.",
        where=hearing.where,
        dtype=hearing.dtype,
        evaluations=counted.passes,
        seconds=answer.seconds,
    )
    wrong = _difference(hearing, counted, stated)
    if wrong is None:
        return blank
    kind, found, expected = wrong
    evidence = Evidence(f"{kind} of one call", found=found, expected=expected)
    reason = f"{found:g} {kind} {whose}, and it states {expected:g}."
    return replace(blank, status="failed", reason=reason, evidence=evidence)


def _difference(hearing: Hearing, counted: Work, stated: Work) -> tuple[str, float, float] | None:
    """The first kind of pass that differs.

    Evaluations may be stated together, and a short form cannot state pullbacks: it is then held to those only
    if it says that it reads the loss alone.
    """
    kinds = [("evaluations (forward and tangent passes)", counted.evaluations, stated.evaluations)]
    if stated.tangent:
        kinds += [("forward passes", counted.forward, stated.forward)]
    if stated.pullback or hearing.method.claims.black_box:
        kinds += [("pullbacks", counted.pullback, stated.pullback)]
    if hearing.method.claims.black_box:
        kinds += [("tangent passes", counted.tangent, stated.tangent)]
    return next((kind for kind in kinds if not math.isclose(kind[1], kind[2], rel_tol=_ROUNDING)), None)


def _words(work: Work) -> str:
    named = (("forward", work.forward), ("tangent", work.tangent), ("pullback", work.pullback))
    return " and ".join(f"{number:g} {name} passes" for name, number in named if number) or "no passes"


def growth(hearings: Sequence[Hearing], answers: Sequence[Answer]) -> Finding:
    """Whether the counted evaluations are a + b P^k with the k of ``claims.growth.passes``, a and b >= 0."""
    claimed = hearings[0].method.claims.growth.passes
    sizes = np.array([size(hearing.problem.parameters) for hearing in hearings], float)
    counts = np.array([answer.work.evaluations for answer in answers])
    more: dict[str, Any] = {"where": hearings[0].trial.problem, "dtype": hearings[0].dtype}
    if not np.all(counts > 0):
        return Finding(
            "cost.passes", "skipped", "it makes no evaluations whose growth could be seen.", **more
        )
    arrays = max(len(hearing.problem.parameters) for hearing in hearings)
    off = np.abs(_law(sizes, counts, claimed) - counts)
    worst = int(np.argmax(off - _CHUNKS * counts - arrays))
    slope = float(np.polyfit(np.log(sizes), np.log(counts), 1)[0])
    listed = ", ".join(f"{c:g} at P={s:g}" for s, c in zip(sizes, counts, strict=True))
    if off[worst] <= _CHUNKS * counts[worst] + arrays:
        reason = f"evaluations grow as claimed, with P^{claimed:g}: {listed}."
        return Finding("cost.passes", "passed", reason, **more)
    reason = f"evaluations grow with P^{slope:.2f}, claimed is P^{claimed:g}: {listed}."
    evidence = Evidence("exponent of the evaluations", found=slope, expected=claimed)
    return Finding("cost.passes", "failed", reason, evidence=evidence, **more)


def _law(sizes: Any, counts: Any, exponent: float) -> Any:
    """The a + b P^k nearest to `counts` in relative terms."""
    from scipy.optimize import nnls

    columns = np.stack([np.ones_like(sizes), sizes**exponent], axis=1)
    rows = columns / counts[:, None]
    scale = rows.max(axis=0)
    return (columns / scale) @ nnls(rows / scale, np.ones(counts.size))[0]
