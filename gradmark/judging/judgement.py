"""What comes out of judging: all findings together, and what they say."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradmark import dtypes
from gradmark.judging.verdict import Evidence, Finding, Verdict, verdict

_COMPARES = ("value", "accuracy", "identification", "sequential")
"""The checks that compare the gradient with what it should be; the others examine some property of it, or
what is computed beside it."""


@dataclass(frozen=True)
class Judgement(ABC):
    """The findings about one `subject`, and the verdict, reason, evidence and power that follow from them.

    `record` holds what is needed to repeat it: versions, seed, threads, device, commit.
    """

    subject: str
    findings: tuple[Finding, ...]
    seconds: float = 0.0
    evaluations: float = 0.0
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """ "correct", "wrong" or "undecided"."""
        return verdict(self.findings)

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that the verdict follows from: the failed ones, or else the undecided, or the
        passed."""
        status = {"wrong": "failed", "undecided": "undecided", "correct": "passed"}[self.verdict]
        return tuple(finding for finding in self.findings if finding.status == status)

    @property
    def reason(self) -> str:
        """The verdict's reason, one sentence."""
        if not self.deciding:
            return "nothing could be checked."
        if self.verdict == "correct":
            return _passed(self)
        first, more = self.deciding[0], len(self.deciding) - 1
        return first.reason if not more else f"{first.reason.rstrip('.')} (and {more} more)."

    @property
    def evidence(self) -> Evidence | None:
        """That of the first deciding finding that has some; of a correct one, of the first comparison."""
        shown = [finding for finding in self.deciding if finding.evidence is not None]
        if self.verdict == "correct":
            shown = [f for f in shown if f in self._finest() and f.check in _COMPARES] or shown
        return shown[0].evidence if shown else None

    @property
    def digits(self) -> float | None:
        """The number of correct digits that the evidence supports, in the finest dtype that was examined."""
        decided = [finding for finding in self._finest() if finding.status != "undecided"]
        compared = [f for f in decided if f.check in _COMPARES and f.digits is not None] or decided
        return min((finding.digits for finding in compared if finding.digits is not None), default=None)

    @property
    def smallest_detectable(self) -> float | None:
        """The relative size of the smallest fault that would have been seen, in the finest dtype examined.

        It is that of a fault which is there wherever the value was compared, and so is seen where it is seen
        best; the findings state it for each place.
        """
        finest = [finding for finding in self._finest() if finding.smallest_detectable is not None]
        compared = [finding for finding in finest if finding.check.split(".")[0] in _COMPARES] or finest
        return min(
            (f.smallest_detectable for f in compared if f.smallest_detectable is not None), default=None
        )

    def _finest(self) -> list[Finding]:
        stated = [f for f in self.findings if f.dtype and (f.digits, f.smallest_detectable) != (None, None)]
        finest = min((dtypes.epsilon(finding.dtype) for finding in stated), default=None)
        return [finding for finding in stated if dtypes.epsilon(finding.dtype) == finest]

    def to_json(self) -> str:
        """Everything as JSON text; the keys are the names of the fields and properties here."""
        from gradmark.judging.presenting.json import to_json

        return to_json(self)

    def to_junit(self) -> str:
        """The findings as JUnit XML, one test case for each: what continuous integration reads."""
        from gradmark.judging.presenting.junit import to_junit

        return to_junit(self)

    def to_html(self) -> str:
        """A page for people, complete in one file."""
        from gradmark.judging.presenting.html import to_html

        return to_html(self)

    def __str__(self) -> str:
        from gradmark.judging.presenting.text import to_text

        return to_text(self)


@dataclass(frozen=True)
class GradientCheck(Judgement):
    """What `gradmark.check_gradient` found. `gradient_calls` counts how often the gradient was called."""

    gradient_calls: int = 0


@dataclass(frozen=True)
class ValidationReport(Judgement):
    """What `gradmark.validate` found. `claims` are the method's claims in words, `hyper` its
    hyper-parameters."""

    claims: Mapping[str, str] = field(default_factory=dict)
    hyper: Mapping[str, Any] = field(default_factory=dict)


def _passed(judgement: Judgement) -> str:
    checks = len({finding.check for finding in judgement.deciding})
    parts = [f"{len(judgement.deciding)} findings of {checks} checks agree"]
    if judgement.digits is not None:
        parts.append(f"to {judgement.digits:.1f} digits")
    if judgement.smallest_detectable is not None:
        parts.append(f"and a relative fault of {judgement.smallest_detectable:.0e} would have been seen")
    return f"{' '.join(parts)}."
