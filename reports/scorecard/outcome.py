"""What came of asking a checker about a case."""

import math
from dataclasses import dataclass
from typing import Literal

from gradmark.judging.verdict import Verdict
from reports.scorecard.battery.case import Case

Outcome = Literal[
    "caught", "missed", "accepted", "accused", "undecided", "crashed", "too slow", "not applicable"
]


@dataclass(frozen=True)
class Result:
    """A checker asked about a case: the outcome, what it said and what it cost."""

    case: str
    what: str
    kind: Literal["wrong", "correct"]
    error: float
    size: int
    dtype: str
    checker: str
    outcome: Outcome
    right: bool
    """Whether the verdict is one that the case expects."""
    reason: str = ""
    digits: float | None = None
    smallest_detectable: float | None = None
    evaluations: float = math.nan
    seconds: float = math.nan


def outcome(case: Case, verdict: Verdict) -> Outcome:
    """A verdict on a case in the scorecard's words."""
    if verdict == "undecided":
        return "undecided"
    if case.kind == "wrong":
        return "caught" if verdict == "wrong" else "missed"
    return "accused" if verdict == "wrong" else "accepted"
