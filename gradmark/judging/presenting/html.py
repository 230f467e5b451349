"""Judgements as a page: one file, no scripts, everything foreign escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradmark.judging.judgement import Judgement, ValidationReport
from gradmark.judging.presenting import words
from gradmark.judging.presenting.figure import figure
from gradmark.judging.presenting.matrix import matrix
from gradmark.judging.presenting.printable import one_line, printable
from gradmark.judging.verdict import Finding


def to_html(judgement: Judgement) -> str:
    """A page about one judgement."""
    return all_to_html([judgement])


def all_to_html(judgements: Sequence[Judgement]) -> str:
    """A page about several, with a table of their verdicts first."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gradmark.judging.presenting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"clean": printable, "line": one_line, "digits": words.digits, "small": words.small}
    environment.filters |= {**filters, "number": words.number, "seconds": words.seconds}
    environment.filters["count"] = words.evaluations
    shown = [_shown(index, judgement) for index, judgement in enumerate(judgements)]
    return environment.get_template("judgement.html.jinja").render(judgements=shown, title=_title(judgements))


def _title(judgements: Sequence[Judgement]) -> str:
    if len(judgements) != 1:
        return f"{len(judgements)} gradient methods before the judge"
    return f"{judgements[0].verdict}: {words.subject(judgements[0])}"


def _shown(index: int, judgement: Judgement) -> dict[str, Any]:
    """What the template asks of a judgement."""
    table = matrix(judgement.findings)
    evidence, source = judgement.evidence, words.shown_by(judgement)
    claims = judgement.claims if isinstance(judgement, ValidationReport) else {}
    return {
        "anchor": f"judgement-{index + 1}",
        "it": judgement,
        "subject": words.subject(judgement),
        "evidence": [] if evidence is None else words.evidence_rows(evidence, source),
        "code": None if evidence is None else evidence.code,
        "counts": _counts(judgement.findings),
        "claims": claims,
        "table": table,
        "figure": figure(table),
        "noted": words.of_note(judgement.findings),
        "skips": words.skips(judgement.findings),
        "checks": _by_check(judgement.findings),
        "record": _flat(judgement.record),
    }


def _counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    order = ("failed", "undecided", "expected", "passed", "skipped")
    counts = [(status, sum(finding.status == status for finding in findings)) for status in order]
    return [(status, count) for status, count in counts if count]


def _by_check(findings: Sequence[Finding]) -> list[tuple[str, list[tuple[str, int]], list[Finding]]]:
    """Every check with the counts of its statuses and its findings."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(one_line(finding.check.split(".")[0]), []).append(finding)
    return [(check, _counts(group), group) for check, group in groups.items()]


def _flat(record: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested records as dotted names."""
    rows = []
    for name, value in record.items():
        label = f"{prefix}{one_line(name)}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{label}.")
        else:
            listed = isinstance(value, list | tuple)
            rows.append((label, ", ".join(map(one_line, value)) if listed else printable(value)))
    return rows
