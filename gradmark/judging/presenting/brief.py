"""Verdicts in short, to be kept beside the code they speak of: one entry for each method, and what it rests
on.

A repository commits it, and its tests say when `gradmark.judging.sources` have changed since.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradmark.judging import sources
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.presenting import words

_KEPT = (
    "profile",
    "seed",
    "false_alarm",
    "threads",
    "commit",
    "changes",
    "cpu",
    "python",
    "versions",
    "variables",
)
"""What of each report's record is kept, once for all."""


def to_brief(reports: Sequence[ValidationReport]) -> str:
    """JSON: `sources`, the `record` that the reports share, and for each method its verdict and its power."""
    record: Mapping[str, Any] = reports[0].record if reports else {}
    kept = {key: record[key] for key in _KEPT if key in record}
    methods = {words.subject(report): _entry(report) for report in reports}
    return json.dumps(
        {"sources": sources.digest(), "record": kept, "methods": methods}, indent=2, allow_nan=False
    )


def stale(brief: Mapping[str, Any]) -> list[str]:
    """The packages whose sources are not those that a brief speaks of."""
    now = sources.digest()
    return [package for package in now if brief.get("sources", {}).get(package) != now[package]]


def _entry(report: ValidationReport) -> dict[str, Any]:
    statuses = Counter(finding.status for finding in report.findings)
    return {
        "verdict": report.verdict,
        "reason": report.reason,
        "digits": None if report.digits is None else round(report.digits, 1),
        "smallest_detectable": _rounded(report.smallest_detectable),
        "findings": dict(sorted(statuses.items())),
        "evaluations": round(report.evaluations),
        "seconds": round(report.seconds, 1),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.1e}")
