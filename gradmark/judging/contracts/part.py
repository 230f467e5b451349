"""The findings about one part of the contract, and what the parts compare by."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.places.sites import Site
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.problem import converted

NAME = "contract"


def said(
    hearing: Hearing,
    part: str,
    status: Status,
    reason: str,
    *answers: Answer,
    evidence: Evidence | None = None,
) -> Finding:
    """A finding about `part`, with what the `answers` it rests on have cost."""
    return Finding(
        f"{NAME}.{part}",
        status,
        reason,
        where=hearing.where,
        dtype=hearing.dtype,
        evidence=evidence,
        evaluations=sum(answer.work.evaluations for answer in answers),
        seconds=sum(answer.seconds for answer in answers),
    )


def verdict_on(hearing: Hearing, part: str, fault: str | None, kept: str, *answers: Answer) -> Finding:
    """Failed with the `fault` where there is one, else passed: `kept` says what was seen."""
    return said(hearing, part, "passed" if fault is None else "failed", fault or kept, *answers)


def fresh(hearing: Hearing, site: Site) -> Site:
    """The same site in arrays of its own, which nobody else is harmed by writing to."""
    arrays = hearing.problem.arrays
    draw = Draw(converted(site.draw.arrays, arrays), site.draw.seed)
    return Site(site.name, converted(site.parameters, arrays), draw)


def bits(named: Mapping[str, Array]) -> dict[str, bytes]:
    """The numbers of each array as they are stored."""
    return {name: to_numpy(array).tobytes() for name, array in named.items()}


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of the arrays that are not the same to the bit; NaN is the same as NaN."""
    return [
        name
        for name in {**one, **other}
        if name not in one or name not in other or not np.array_equal(one[name], other[name], equal_nan=True)
    ]


def listed(names: list[str]) -> str:
    """Names in backticks."""
    return ", ".join(f"`{name}`" for name in names)
