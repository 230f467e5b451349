"""What a checker answers."""

from dataclasses import dataclass

from gradmark.judging.verdict import Verdict


@dataclass(frozen=True)
class Said:
    """A checker's verdict, its reason in its own words, and what it states of itself where it does.

    `evaluations` is None where the function's own count says it.
    """

    verdict: Verdict
    reason: str = ""
    digits: float | None = None
    smallest_detectable: float | None = None
    evaluations: float | None = None


def first_line(error: BaseException) -> str:
    """The kind of an exception and the first line of what it says."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
