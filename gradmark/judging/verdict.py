"""What the judge says: findings with their evidence, and the verdict that they add up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gradmark.errors import UsageError, shown, unknown_name

Verdict = Literal["correct", "wrong", "undecided"]
Status = Literal["passed", "failed", "undecided", "skipped", "expected"]
"""passed, failed; undecided: this finding alone leaves the verdict open; skipped: not made, and the verdict
does not hang on it; expected: it failed, as the person who asked said it would."""
EXIT_CODES: Mapping[Verdict, int] = {"correct": 0, "wrong": 1, "undecided": 3}
"""What a command ends with; 2 is bad input."""


@dataclass(frozen=True)
class Evidence:
    """What a finding rests on: where, how large, and how to see it again.

    `found` is what the gradient says and `expected` what the reference says, known to +- `uncertainty`: one
    entry where `array` and `index` name one, else the slope along a direction, else another number that
    `what` names. `error` is the relative error (2-norm). `code` is a line of Python that shows it again.
    """

    what: str
    array: str | None = None
    index: tuple[int, ...] | None = None
    found: float | None = None
    expected: float | None = None
    uncertainty: float | None = None
    error: float | None = None
    point: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Finding:
    """What one check found in one place.

    `check` is the check's name, such as "contract" or "accuracy"; a part may follow a dot. `reason` is one
    sentence. `where` names problem and point. `digits` are the correct digits that the check supports, and
    `smallest_detectable` the relative size (2-norm) of the smallest fault that it would have seen, stated
    without looking at the gradient. `p_value` is that of a statistical test.
    """

    check: str
    status: Status
    reason: str
    where: str = ""
    dtype: str = ""
    evidence: Evidence | None = None
    digits: float | None = None
    smallest_detectable: float | None = None
    p_value: float | None = None
    evaluations: float = 0.0
    seconds: float = 0.0


def verdict(findings: Iterable[Finding]) -> Verdict:
    """wrong if anything failed, else undecided if anything is, or if nothing passed; else correct.

    >>> verdict([Finding("value", "passed", "it agrees"), Finding("points", "skipped", "not asked for")])
    'correct'
    >>> verdict([])
    'undecided'
    """
    statuses = {finding.status for finding in findings}
    if "failed" in statuses:
        return "wrong"
    return "correct" if "passed" in statuses and "undecided" not in statuses else "undecided"


def with_expected(findings: Sequence[Finding], expected: Mapping[str, str]) -> list[Finding]:
    """The findings, failures that were expected marked as such; an expected one that did not fail is
    reported.

    `expected` maps the name of a check (or the part before its dot) to the reason why it may fail. Raises
    `UsageError` for an expectation without a reason.
    """
    _check_reasons(expected)
    marked, failing = [], set()
    for finding in findings:
        name = next((name for name in expected if _covers(name, finding.check)), None)
        if name is None or finding.status != "failed":
            marked.append(finding)
            continue
        failing.add(name)
        marked.append(
            replace(finding, status="expected", reason=f"{finding.reason} Expected: {expected[name]}")
        )
    made = {name for name in expected for found in findings if _covers(name, found.check)}
    for name in expected:
        if name in made and name not in failing:
            reason = (
                f"`{name}` was expected to fail ({expected[name]}) and does not: take it out of the expected."
            )
            marked.append(Finding(name, "undecided", reason))
    return marked


def check_expected(expected: object, checks: Iterable[str]) -> None:
    """Raise `UsageError` for an expected failure of a check that does not exist, or without a reason."""
    if not isinstance(expected, Mapping):
        raise UsageError(
            f"`expected_failures={shown(expected)}` must map the name of a check to the reason why it may "
            "fail."
        )
    known = set(checks)
    for name in map(str, expected):
        if name.split(".")[0] not in known:
            raise unknown_name("check", name, known)
    _check_reasons(expected)


def _check_reasons(expected: Mapping[str, str]) -> None:
    for name, reason in expected.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UsageError(
                f"the expected failure of `{name}` needs a reason: say in words why it may fail."
            )


def _covers(name: str, check: str) -> bool:
    return check == name or check.startswith(f"{name}.")
