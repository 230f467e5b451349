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
_WIDE = 10_000.0
"""From so many parameters on, hidden layers are as wide as inputs and outputs."""
_WIDE_APART = 100.0
"""Over two decades P^k log P is off by 7 % at best, P^(k +- 1/4) by 12 %, and what nodes make by 1 %."""
_FEWEST_WIDE = 4


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


def growth(ladder: Sequence[Hearing], answers: Sequence[Answer]) -> Finding:
    """Whether the evaluations grow with the k of ``claims.growth.passes``: as a + b P^k, a and b >= 0.

    The first ones of the `ladder` have been called, and their `answers` counted. A network whose inputs and
    outputs stay is not similar to itself, and its nodes are a power of P for wide layers alone: where the
    counts are none, what is stated for the largest sizes may be, with an a of any sign.
    """
    claimed = ladder[0].method.claims.growth.passes
    hearings = ladder[: len(answers)]
    sizes = _sizes(hearings)
    counts = np.array([answer.work.evaluations for answer in answers])
    more: dict[str, Any] = {"where": hearings[0].trial.problem, "dtype": hearings[0].dtype}
    if not np.all(counts > 0):
        return Finding(
            "cost.passes", "skipped", "it makes no evaluations whose growth could be seen.", **more
        )
    arrays = max(len(hearing.problem.parameters) for hearing in hearings)
    off = np.abs(_law(sizes, counts, claimed) - counts)
    listed = ", ".join(f"{c:g} at P={s:g}" for s, c in zip(sizes, counts, strict=True))
    if np.all(off <= _CHUNKS * counts + arrays):
        reason = f"evaluations grow as claimed, with P^{claimed:g}: {listed}."
        return Finding("cost.passes", "passed", reason, **more)
    if _in_the_end(ladder, claimed):
        reason = f"evaluations grow as claimed, with P^{claimed:g}, where layers are wide: {listed}."
        return Finding("cost.passes", "passed", reason, **more)
    slope = float(np.polyfit(np.log(sizes), np.log(counts), 1)[0])
    reason = f"evaluations grow with P^{slope:.2f}, claimed is P^{claimed:g}: {listed}."
    evidence = Evidence("exponent of the evaluations", found=slope, expected=claimed)
    return Finding("cost.passes", "failed", reason, evidence=evidence, **more)


def _in_the_end(ladder: Sequence[Hearing], claimed: float) -> bool:
    """Whether a + b P^k, b > 0, is what the method states for the largest sizes of the ladder."""
    work = ladder[0].method.claims.work
    assert work is not None
    parameters = _sizes(ladder)
    large = [each for each, number in zip(ladder, parameters, strict=True) if number >= _WIDE]
    if claimed == 0 or len(large) < _FEWEST_WIDE or parameters[-1] < _WIDE_APART * _WIDE:
        return False
    sizes = _sizes(large)
    stated = np.array([work(each.problem).evaluations for each in large])
    columns = np.stack([np.ones_like(sizes), (sizes / sizes[0]) ** claimed], axis=1)
    (a, b), *_ = np.linalg.lstsq(columns / stated[:, None], np.ones_like(stated), rcond=None)
    return bool(b > 0 and np.all(np.abs(columns @ (a, b) - stated) <= _CHUNKS * stated))


def _sizes(hearings: Sequence[Hearing]) -> Any:
    return np.array([size(hearing.problem.parameters) for hearing in hearings], float)


def _law(sizes: Any, counts: Any, exponent: float) -> Any:
    """The a + b P^k nearest to `counts` in relative terms."""
    from scipy.optimize import nnls

    columns = np.stack([np.ones_like(sizes), sizes**exponent], axis=1)
    rows = columns / counts[:, None]
    scale = rows.max(axis=0)
    return (columns / scale) @ nnls(rows / scale, np.ones(counts.size))[0]
