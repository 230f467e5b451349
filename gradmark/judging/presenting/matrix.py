"""Findings as a table: a row for each check and dtype, a column for each trial or problem."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from gradmark.dtypes import DTYPES
from gradmark.judging.presenting.printable import one_line
from gradmark.judging.verdict import Finding, Status

_WORST_FIRST: tuple[Status, ...] = ("failed", "undecided", "expected", "passed", "skipped")
assert set(_WORST_FIRST) == set(get_args(Status))
_MOST = 20
"""Columns that can be read; with more trials than these, all sizes of a problem share one."""
_TRIAL = re.compile(r"(?P<trial>[^(]*\(.*?\)[^,()]*)(?:, (?P<site>.*))?")

_ALL_DTYPES = {dtype for names in DTYPES.values() for dtype in names}


@dataclass(frozen=True)
class Row:
    """One check in one dtype: its worst status in each trial (None: not made there), its worst power."""

    check: str
    dtype: str
    cells: tuple[Status | None, ...]
    digits: float | None
    smallest_detectable: float | None
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst status."""
        return _worst(self.findings)


@dataclass(frozen=True)
class Matrix:
    """`trials` are the names of the columns, as the findings give them."""

    trials: tuple[str, ...]
    rows: tuple[Row, ...]


def matrix(findings: Sequence[Finding]) -> Matrix:
    """The table of `findings`. The parts of a check share a row where none of them needs to be read."""
    named = [trial_of(finding) for finding in findings]
    column = problem_of if len(set(named)) > _MOST else one_line
    columns = [column(name) for name in named]
    trials = tuple(dict.fromkeys(columns))
    places = dict(zip(map(id, findings), columns, strict=True))
    open_checks = {_stage(finding) for finding in findings if finding.status not in ("passed", "skipped")}
    groups: dict[str, dict[str, list[Finding]]] = {}
    for finding in findings:
        check = finding.check if _stage(finding) in open_checks else _stage(finding)
        groups.setdefault(one_line(check), {}).setdefault(one_line(finding.dtype), []).append(finding)
    rows = [
        _row(check, dtype, group, trials, places)
        for check, by_dtype in groups.items()
        for dtype, group in _by_dtype(by_dtype).items()
    ]
    return Matrix(trials, tuple(rows))


def trial_of(finding: Finding) -> str:
    """The trial in a finding's `where`, which a site may follow; all of it where there is no trial.

    >>> trial_of(Finding("accuracy", "passed", "", where="mlp(widths=3-2, seed=1) numpy float64, as built"))
    'mlp(widths=3-2, seed=1) numpy float64'
    """
    match = _TRIAL.fullmatch(finding.where)
    return one_line(match["trial"] if match else finding.where)


def problem_of(trial: str) -> str:
    """A trial without its sizes and its dtype, which has rows of its own.

    >>> problem_of("mlp(widths=3-2, seed=1) torch cuda float32")
    'mlp torch cuda'
    """
    name, parenthesis, rest = trial.partition("(")
    if not parenthesis:
        return trial
    place = [word for word in rest.rpartition(")")[2].split() if word not in _ALL_DTYPES]
    return " ".join([name, *place])


def _stage(finding: Finding) -> str:
    return finding.check.split(".")[0]


def _by_dtype(groups: dict[str, list[Finding]]) -> dict[str, list[Finding]]:
    """What was nowhere more than skipped shares one row: it has no digits that a dtype could explain."""
    idle = {dtype for dtype, group in groups.items() if all(finding.status == "skipped" for finding in group)}
    together = [finding for dtype in groups if dtype in idle for finding in groups[dtype]]
    rest = {dtype: group for dtype, group in groups.items() if dtype not in idle}
    return {**rest, "": [*rest.get("", []), *together]} if together else rest


def _row(
    check: str, dtype: str, group: list[Finding], trials: tuple[str, ...], places: Mapping[int, str]
) -> Row:
    by_trial: dict[str, list[Finding]] = {}
    for finding in group:
        by_trial.setdefault(places[id(finding)], []).append(finding)
    digits = [finding.digits for finding in group if finding.digits is not None]
    power = [f.smallest_detectable for f in group if f.smallest_detectable is not None]
    return Row(
        check=check,
        dtype=dtype,
        cells=tuple(_worst(by_trial[trial]) if trial in by_trial else None for trial in trials),
        digits=min(digits, default=None),
        smallest_detectable=min(power, default=None),
        findings=tuple(group),
    )


def _worst(findings: Iterable[Finding]) -> Status:
    return min((finding.status for finding in findings), key=_WORST_FIRST.index)
