"""A judgement for a terminal: the verdict first, then why, then what was examined."""

import textwrap
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from gradmark.judging.judgement import Judgement
from gradmark.judging.presenting import words
from gradmark.judging.presenting.matrix import Matrix, Row, matrix
from gradmark.judging.presenting.printable import one_line, printable
from gradmark.judging.verdict import Finding, Status

WIDTH = 100
"""Columns that nothing but the line of code goes beyond: that one is there to be copied."""
_SYMBOLS: dict[Status | None, str] = {
    "passed": "+", "failed": "X", "undecided": "?", "expected": "x", "skipped": "-", None: " ",
}  # fmt: skip
_LETTERS = ascii_uppercase + ascii_lowercase
_COLUMNS = 20
"""Columns side by side; more are continued below."""
_REASONS = 8
"""Reasons for skips that are told; the others are counted."""


def to_text(judgement: Judgement) -> str:
    """The whole judgement as plain text."""
    table = matrix(judgement.findings)
    parts = [
        _head(judgement),
        _evidence(judgement),
        "\n".join(filter(None, [words.power(judgement), words.cost(judgement)])),
        _told(judgement.findings),
        *_tables(table),
        _legend(table),
        _skips(judgement.findings),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(judgement: Judgement) -> str:
    lines = _wrapped(f"{judgement.verdict}: {words.subject(judgement)}", "  ")
    return f"{lines}\n{_wrapped(one_line(judgement.reason))}"


def _evidence(judgement: Judgement) -> str:
    evidence = judgement.evidence
    if evidence is None:
        return ""
    rows = words.evidence_rows(evidence, words.shown_by(judgement))
    lines = [_labelled(label, text) for label, text in rows]
    if evidence.code:
        lines += ["repeat it:", textwrap.indent(printable(evidence.code), "  ")]
    return "\n".join(lines)


def _told(findings: Sequence[Finding]) -> str:
    """The first of each check that said the same of it; the report in JSON has them all."""
    groups: dict[tuple[str, Status], list[Finding]] = {}
    for finding in words.of_note(findings):
        groups.setdefault((finding.check, finding.status), []).append(finding)
    return "\n".join(_finding(group[0], len(group) - 1) for group in groups.values())


def _finding(finding: Finding, others: int) -> str:
    where = f" [{one_line(finding.where)}]" if finding.where else ""
    told = f"{_SYMBOLS[finding.status]} {one_line(finding.check)}{where} {one_line(finding.reason)}"
    places = "place" if others == 1 else "places"
    return _wrapped(f"{told} So it is in {others} other {places}." if others else told, "  ")


def _tables(table: Matrix) -> list[str]:
    starts = range(0, len(table.trials), _COLUMNS)
    return [_table(table, start) for start in starts]


def _table(table: Matrix, start: int) -> str:
    letters = [_letter(index) for index in range(start, min(start + _COLUMNS, len(table.trials)))]
    rows = [row for row in table.rows if any(row.cells[start : start + _COLUMNS])]
    names = [_cut(row.check, 36) for row in rows]
    name_width = max(map(len, [*names, "check"]))
    dtype_width = max(len(word) for word in [*(row.dtype for row in rows), "dtype"])
    trial_width = max(len(letters[-1]), 1)
    head = " ".join(letter.ljust(trial_width) for letter in letters)
    lines = [f"{'check':<{name_width}}  {'dtype':<{dtype_width}}  {head}  digits  detectable"]
    for name, row in zip(names, rows, strict=True):
        cells = " ".join(_SYMBOLS[cell].ljust(trial_width) for cell in row.cells[start : start + _COLUMNS])
        lines.append(f"{name:<{name_width}}  {row.dtype:<{dtype_width}}  {cells}  {_power(row)}".rstrip())
    return "\n".join(lines)


def _power(row: Row) -> str:
    return f"{words.digits(row.digits):>6}  {words.small(row.smallest_detectable):>10}"


def _letter(index: int) -> str:
    """A, ..., Z, a, ..., z, A1, ..."""
    turn, place = divmod(index, len(_LETTERS))
    return f"{_LETTERS[place]}{turn or ''}"


def _legend(table: Matrix) -> str:
    if not table.rows:
        return ""
    used = {cell for row in table.rows for cell in row.cells} - {None}
    meanings = ", ".join(f"{_SYMBOLS[status]} {status}" for status in _SYMBOLS if status in used)
    named = [(_letter(index), trial) for index, trial in enumerate(table.trials)]
    trials = [_wrapped(f"{letter}  {trial or 'no problem in particular'}", "   ") for letter, trial in named]
    return "\n".join([*trials, meanings])


def _skips(findings: Sequence[Finding]) -> str:
    groups = words.skips(findings)
    if not groups:
        return ""
    lines = []
    for reason, group in groups[:_REASONS]:
        checks = ", ".join(dict.fromkeys(one_line(finding.check) for finding in group))
        times = f" ({len(group)} times)" if len(group) > 1 else ""
        lines.append(_wrapped(f"- {checks}{times}: {reason}", "  "))
    if len(groups) > _REASONS:
        lines.append(f"- and {len(groups) - _REASONS} more reasons, which are in the JSON report")
    return "\n".join(["skipped:", *lines])


def _labelled(label: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{label:<10}", subsequent_indent=" " * 10)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
