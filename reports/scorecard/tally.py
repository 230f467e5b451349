"""The results of one checker, counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from reports.scorecard.outcome import Result

MOST_UNDECIDED = 1
"""Of the wrong gradients, how many gradmark may leave undecided."""


@dataclass(frozen=True)
class Tally:
    """How often each outcome came up among the wrong and among the correct gradients, and the cost.

    `asked` counts the cases that the checker can be asked about; `evaluations` is the median of those of one
    gradient (methods excepted: they are judged by many); `seconds` is the sum.
    """

    checker: str
    wrong: Mapping[str, int]
    correct: Mapping[str, int]
    evaluations: float
    seconds: float

    @property
    def asked_wrong(self) -> int:
        """The wrong gradients that the checker can be asked about."""
        return sum(self.wrong.values()) - self.wrong["not applicable"]

    @property
    def asked_correct(self) -> int:
        """The correct ones."""
        return sum(self.correct.values()) - self.correct["not applicable"]


def tally(checker: str, results: Sequence[Result]) -> Tally:
    """Count the results of `checker`."""
    own = [result for result in results if result.checker == checker]
    asked = [result for result in own if result.outcome != "not applicable"]
    spent = [
        result.evaluations for result in asked if result.size and result.evaluations == result.evaluations
    ]
    return Tally(
        checker,
        Counter(result.outcome for result in own if result.kind == "wrong"),
        Counter(result.outcome for result in own if result.kind == "correct"),
        median(spent) if spent else float("nan"),
        sum(result.seconds for result in asked),
    )


def below_the_bar(results: Sequence[Result]) -> list[str]:
    """What keeps gradmark from its bar, a sentence each; none where it is met.

    Every wrong gradient is caught but for at most `MOST_UNDECIDED` left undecided; no correct one is accused,
    or left undecided where it can be decided.
    """
    own = [result for result in results if result.checker == "gradmark"]
    undecided = [result for result in own if result.kind == "wrong" and result.outcome == "undecided"]
    allowed = {result.case for result in undecided} if len(undecided) <= MOST_UNDECIDED else set()
    return [
        f"{result.case} ({result.what}) is {result.kind} and was {result.outcome}: {result.reason}"
        for result in own
        if not result.right and result.case not in allowed
    ]
