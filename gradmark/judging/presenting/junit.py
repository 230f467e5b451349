"""Judgements as JUnit XML, in the form that Jenkins, GitLab and GitHub read."""

from collections.abc import Sequence
from xml.etree import ElementTree as xml

from gradmark.judging.judgement import Judgement
from gradmark.judging.presenting import words
from gradmark.judging.presenting.printable import one_line, printable
from gradmark.judging.verdict import Finding

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_DIGITS = 6
"""Decimals of a time in seconds."""
_ELEMENTS = {"failed": "failure", "undecided": "error", "skipped": "skipped", "expected": "skipped"}
"""An undecided finding is an error, not a failure: nobody is accused, and it does not pass."""


def to_junit(judgement: Judgement) -> str:
    """One test suite with one test case for each finding."""
    return all_to_junit([judgement])


def all_to_junit(judgements: Sequence[Judgement]) -> str:
    """A test suite for each judgement."""
    root = xml.Element("testsuites", name="gradmark")
    for judgement in judgements:
        _add_suite(root, judgement)
    xml.indent(root)
    return f"{_DECLARATION}\n{xml.tostring(root, encoding='unicode')}\n"


def _add_suite(root: xml.Element, judgement: Judgement) -> None:
    findings = [*judgement.findings, *_nothing_passed(judgement)]
    count = {name: sum(_ELEMENTS.get(f.status) == name for f in findings) for name in _ELEMENTS.values()}
    suite = xml.SubElement(
        root,
        "testsuite",
        name=words.subject(judgement),
        tests=str(len(findings)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        time=_time(judgement.seconds),
    )
    _add_properties(suite, judgement)
    seen: dict[str, int] = {}
    for finding in findings:
        name = ", ".join(filter(None, [finding.check, finding.dtype, finding.where]))
        seen[name] = seen.get(name, 0) + 1
        _add_case(suite, judgement, finding, name if seen[name] == 1 else f"{name} ({seen[name]})")


def _nothing_passed(judgement: Judgement) -> list[Finding]:
    """A verdict that no finding tells: nothing was found that could pass."""
    told = any(finding.status in ("failed", "undecided") for finding in judgement.findings)
    if judgement.verdict == "correct" or told:
        return []
    return [Finding("verdict", "undecided", judgement.reason)]


def _add_properties(suite: xml.Element, judgement: Judgement) -> None:
    properties = xml.SubElement(suite, "properties")
    values = {
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "digits": judgement.digits,
        "smallest_detectable": judgement.smallest_detectable,
        "evaluations": judgement.evaluations,
        **judgement.record,
    }
    for name, value in values.items():
        if value is not None:
            xml.SubElement(properties, "property", name=one_line(name), value=one_line(value))


def _add_case(suite: xml.Element, judgement: Judgement, finding: Finding, name: str) -> None:
    case = xml.SubElement(
        suite,
        "testcase",
        classname=f"gradmark.{one_line(judgement.subject)}",
        name=one_line(name),
        time=_time(finding.seconds),
    )
    element = _ELEMENTS.get(finding.status)
    if element is None:
        return
    details = {"message": one_line(finding.reason)}
    if element != "skipped":
        details["type"] = finding.status
    body = xml.SubElement(case, element, details)
    if finding.evidence is not None:
        body.text = _evidence(finding)


def _evidence(finding: Finding) -> str:
    assert finding.evidence is not None
    lines = [f"{label}: {text}" for label, text in words.evidence_rows(finding.evidence, finding)]
    if finding.evidence.code:
        lines.append(printable(finding.evidence.code))
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds:.{_DIGITS}f}"
