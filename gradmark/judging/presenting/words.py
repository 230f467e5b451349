"""Numbers and findings in few words, the same in every presentation."""

import math
from collections.abc import Iterable, Sequence

from gradmark.judging.judgement import Judgement, ValidationReport
from gradmark.judging.presenting.printable import one_line
from gradmark.judging.verdict import Evidence, Finding


def subject(judgement: Judgement) -> str:
    """The subject, with its hyper-parameters where it has some."""
    hyper = judgement.hyper if isinstance(judgement, ValidationReport) else {}
    given = ", ".join(f"{name}={value!r}" for name, value in hyper.items() if value is not None)
    return one_line(f"{judgement.subject}({given})" if given else judgement.subject)


def digits(value: float | None) -> str:
    """A number of correct digits: ``12.3``."""
    return "" if value is None else f"{value:.1f}"


def small(value: float | None) -> str:
    """A relative size: ``3.1e-07``."""
    return "" if value is None else f"{value:.1e}"


def number(value: float | None) -> str:
    """A number as exactly as it is known.

    >>> number(0.1)
    '0.1'
    """
    if value is None:
        return ""
    return repr(float(value)) if math.isfinite(value) else str(float(value))


def seconds(value: float) -> str:
    """A time: ``3.4 s``."""
    return f"{value:.3g} s" if value >= 1e-3 else f"{value:.1e} s"


def evaluations(value: float) -> str:
    """A number of evaluations, whole where it is."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def cost(judgement: Judgement) -> str:
    """What the judging took."""
    return f"{evaluations(judgement.evaluations)} evaluations, {seconds(judgement.seconds)}"


def power(judgement: Judgement) -> str:
    """Digits and the smallest fault that would have been seen; empty where neither is known."""
    parts = []
    if judgement.digits is not None:
        parts.append(f"{digits(judgement.digits)} correct digits supported")
    if judgement.smallest_detectable is not None:
        parts.append(f"smallest detectable relative fault {small(judgement.smallest_detectable)}")
    return ", ".join(parts)


def evidence_rows(evidence: Evidence, finding: Finding | None) -> list[tuple[str, str]]:
    """Evidence as pairs of a label and a text, without the line of code."""
    uncertainty = "" if evidence.uncertainty is None else f" +- {small(evidence.uncertainty)}"
    expected = "" if evidence.expected is None else f"{number(evidence.expected)}{uncertainty}"
    rows = [
        ("what", one_line(evidence.what)),
        ("where", _place(evidence, finding)),
        ("found", number(evidence.found)),
        ("expected", expected),
        ("error", f"{small(evidence.error)} relative" if evidence.error is not None else ""),
    ]
    return [(label, text) for label, text in rows if text]


def _place(evidence: Evidence, finding: Finding | None) -> str:
    index = "" if evidence.index is None else f"[{', '.join(str(int(i)) for i in evidence.index)}]"
    array = "" if evidence.array is None else f"`{evidence.array}`{index}"
    where = finding.where if finding is not None else ""
    point = evidence.point if evidence.point and evidence.point not in where else ""
    return one_line(", ".join(part for part in (array, point, where) if part))


def shown_by(judgement: Judgement) -> Finding | None:
    """The finding that the judgement's evidence belongs to."""
    return next(
        (f for f in judgement.findings if f.evidence is not None and f.evidence is judgement.evidence), None
    )


def skips(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Skipped findings by their reason, the most frequent first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.status == "skipped":
            groups.setdefault(one_line(finding.reason), []).append(finding)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def of_note(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that a person must read: failed, then undecided, then failed as expected."""
    order = ("failed", "undecided", "expected")
    chosen = [finding for finding in findings if finding.status in order]
    return sorted(chosen, key=lambda finding: order.index(finding.status))
