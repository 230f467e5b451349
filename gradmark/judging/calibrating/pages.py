"""The counts of a calibration as rows of words, Markdown and JSON."""

import json
from collections.abc import Sequence
from typing import Any

from gradmark.judging.calibrating.counts import LEVELS, Row

HEADER = (
    "check",
    "checks",
    "accused",
    *(f"p <= {level:g}" for level in LEVELS),
    "p-values",
    "Kolmogorov-Smirnov",
)


def cells(row: Row) -> tuple[str, ...]:
    """A row in words: counts beside what is expected of uniform p-values."""
    counts = [
        f"{row.below[level]} ({level * row.tests:.1f} expected)" if row.below else "" for level in LEVELS
    ]
    kind = "" if not row.tests else "at most uniform" if row.at_most else "uniform"
    law = "" if row.law is None else f"{row.law:.2g}"
    return row.check, str(row.checks), str(row.accused), *counts, kind, law


def sentences(rows: Sequence[Row]) -> list[str]:
    """What is out of its limits, one sentence each; or that nothing is."""
    faults = [f"{row.check}: {fault}." for row in rows for fault in row.faults]
    whole = f"{rows[-1].checks} checks of correct gradients: "
    if faults:
        return [whole + f"{len(faults)} counts are out of their limits.", *faults]
    return [whole + "all counts are within their binomial limits, and none was called wrong."]


def to_markdown(rows: Sequence[Row], command: str) -> str:
    """A page with the command that made it."""
    lines = [
        "# How often the judge accuses the innocent",
        "",
        f"Written by `{command}`.",
        "",
        "Each check is one finding about a correct gradient: methods x problems x seeds x dtypes. Tests that",
        "may look several times look once here. Accused is at the default false-alarm probability of 1e-6;",
        "the other counts are of p-values. The last column is the p-value of a Kolmogorov-Smirnov test that",
        "they are uniform, or not below uniform.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + " --- |" * len(HEADER),
        *("| " + " | ".join(cells(row)) + " |" for row in rows),
        "",
        *sentences(rows),
    ]
    return "\n".join(lines) + "\n"


def to_json(rows: Sequence[Row], **record: Any) -> str:
    """The rows, and how they were made."""
    listed = [
        {
            "check": row.check,
            "checks": row.checks,
            "tests": row.tests,
            "below": {f"{level:g}": number for level, number in row.below.items()},
            "accused": row.accused,
            "at_most_uniform": row.at_most,
            "kolmogorov_smirnov": row.law,
            "faults": list(row.faults),
        }
        for row in rows
    ]
    return json.dumps({**record, "rows": listed}, indent=1) + "\n"
