"""A judgement as JSON, and back. `SCHEMA_VERSION` grows when a key changes its meaning or goes away."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import gradmark
from gradmark.errors import UsageError
from gradmark.judging.judgement import GradientCheck, Judgement, ValidationReport
from gradmark.judging.verdict import Evidence, Finding, Verdict
from gradmark.run.records import plain

SCHEMA = "gradmark.judgement"
SCHEMA_VERSION = 1
_KINDS = {kind.__name__: kind for kind in (GradientCheck, ValidationReport)}
_NUMBERS = {
    "found", "expected", "uncertainty", "error",
    "digits", "smallest_detectable", "p_value", "evaluations", "seconds",
}  # fmt: skip


def to_json(judgement: Judgement) -> str:
    """Valid JSON (RFC 8259) with every field and property; floats round-trip.

    What JSON has no number for is a string: ``"nan"``, ``"inf"`` or ``"-inf"``, which `float` reads.
    """
    return json.dumps(as_object(judgement), indent=2, allow_nan=False)


def all_to_json(judgements: Sequence[Judgement], verdict: Verdict) -> str:
    """Several as one object: the worst `verdict`, and ``judgements``, a list of what `to_json` writes."""
    found = [as_object(judgement) for judgement in judgements]
    several = {"schema": f"{SCHEMA}s", "schema_version": SCHEMA_VERSION, "gradmark": gradmark.__version__}
    return json.dumps({**several, "verdict": verdict, "judgements": found}, indent=2, allow_nan=False)


def as_object(judgement: Judgement) -> dict[str, Any]:
    """The same as an object of JSON's own types."""
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "gradmark": gradmark.__version__,
        "kind": type(judgement).__name__,
        "subject": judgement.subject,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "digits": _number(judgement.digits),
        "smallest_detectable": _number(judgement.smallest_detectable),
        "evidence": None if judgement.evidence is None else _evidence(judgement.evidence),
        "seconds": _number(judgement.seconds),
        "evaluations": _number(judgement.evaluations),
        **{name: plain(getattr(judgement, name)) for name in _more(type(judgement))},
        "record": plain(judgement.record),
        "findings": [finding_object(finding) for finding in judgement.findings],
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """A finding as an object of JSON's own types."""
    evidence = None if finding.evidence is None else _evidence(finding.evidence)
    return {**_fields(finding), "evidence": evidence}


def from_json(text: str) -> Judgement:
    """The judgement that `to_json` wrote; verdict, reason and power follow from the findings again.

    Raises `UsageError` for any other text.
    """
    try:
        return from_object(json.loads(text))
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"this is not a judgement that `to_json` wrote: {error}.") from error


def from_object(found: Any) -> Judgement:
    """The judgement of an object that `as_object` made; `UsageError` for any other."""
    try:
        if found["schema"] != SCHEMA or found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its schema is not version {SCHEMA_VERSION} of gradmark's")
        kind = _KINDS[found["kind"]]
        return kind(
            subject=found["subject"],
            findings=tuple(finding_from(each) for each in found["findings"]),
            seconds=_read(found["seconds"]),
            evaluations=_read(found["evaluations"]),
            record=found["record"],
            **{name: found[name] for name in _more(kind)},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"this is not a judgement that `to_json` wrote: {error!r}.") from error


def finding_from(found: Mapping[str, Any]) -> Finding:
    """The finding of an object that `finding_object` made."""
    evidence = found["evidence"]
    if evidence is not None:
        index = evidence["index"]
        evidence = Evidence(**_restored({**evidence, "index": None if index is None else tuple(index)}))
    return Finding(**_restored({**found, "evidence": evidence}))


def _more(kind: type[Judgement]) -> list[str]:
    """The fields that a kind of judgement has beside those of all."""
    return [each.name for each in fields(kind) if each.name not in Judgement.__dataclass_fields__]


def _evidence(evidence: Evidence) -> dict[str, Any]:
    index = None if evidence.index is None else [int(each) for each in evidence.index]
    return {**_fields(evidence), "index": index}


def _fields(found: Evidence | Finding) -> dict[str, Any]:
    named = {each.name: getattr(found, each.name) for each in fields(found)}
    return {name: _number(value) if name in _NUMBERS else value for name, value in named.items()}


def _number(value: Any) -> float | str | None:
    """A float, also of NumPy's types, or its name where JSON has none."""
    return None if value is None else plain(float(value))


def _read(value: Any) -> float:
    return float(value)


def _restored(named: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: float(value) for name, value in named.items() if name in _NUMBERS and value is not None}
    return {**named, **numbers}
