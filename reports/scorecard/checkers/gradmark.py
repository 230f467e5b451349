"""gradmark's own checker: `gradmark.check_gradient`, and `gradmark.validate` for gradient methods."""

from typing import Any

import gradmark
from gradmark.judging.verdict import Finding
from reports.scorecard.battery.case import MethodQuestion, Question
from reports.scorecard.checkers.said import Said

TITLE = "gradmark"
REJECTIONS = (gradmark.UsageError,)
PROFILE, BUDGET = "ci", 30.0
"""The trials on which methods are judged, and the seconds for one: random ones take a quarter of them."""


class _Decided(BaseException):
    """A finding failed: the verdict is wrong, whatever else would be found."""

    def __init__(self, finding: Finding, evaluations: float) -> None:
        super().__init__(finding.reason)
        self.finding, self.evaluations = finding, evaluations


def installed() -> bool:
    """Always."""
    return True


def refuses(question: Question | MethodQuestion) -> str | None:
    """Nothing."""
    return None


def check(question: Question | MethodQuestion) -> Said:
    """Ask `gradmark.check_gradient`, or validate until the first failed finding."""
    if isinstance(question, MethodQuestion):
        return _validated(question)
    said = gradmark.check_gradient(question.function, question.gradient, question.at, **question.options)
    return Said(said.verdict, said.reason, said.digits, said.smallest_detectable)


def _validated(question: MethodQuestion) -> Said:
    evaluations = 0.0

    def heard(finding: Finding) -> None:
        nonlocal evaluations
        evaluations += finding.evaluations
        if finding.status == "failed":
            raise _Decided(finding, evaluations)

    try:
        report: Any = gradmark.validate(question.method, profile=PROFILE, budget=BUDGET, on_finding=heard)
    except _Decided as decided:
        finding = decided.finding
        return Said("wrong", f"{finding.check}: {finding.reason}", evaluations=decided.evaluations)
    return Said(report.verdict, report.reason, report.digits, report.smallest_detectable, report.evaluations)
