"""From the options of ``gradmark validate`` to cases for the judge; no plug-in is loaded for it."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from gradmark.errors import UsageError, unknown_name
from gradmark.judging.process.supervised import Case
from gradmark.registry import Kind, list_methods, load, names
from gradmark.run.naming import parsed


def cases(
    methods: Sequence[str],
    every: bool,
    problems: Sequence[str],
    profile: str,
    budget: float | None,
    seed: int,
    false_alarm: float,
    expect: Sequence[str],
) -> list[Case]:
    """A case for each method; `UsageError` for whatever can be told to be wrong before a method is loaded."""
    chosen = list(dict.fromkeys([*methods, *(list_methods() if every else [])]))
    if not chosen:
        raise UsageError("no method is named: give gradmark validate NAME, path/to/file.py:name, or --all.")
    _check_names("method", chosen)
    _check_names("problem", problems)
    if profile not in names("trial"):
        raise unknown_name("profile", profile, names("trial"))
    if budget is not None and not 0 < budget < math.inf:
        raise UsageError(f"`--budget {budget:g}` must be a number of seconds above zero.")
    if seed < 0:
        raise UsageError(f"`--seed {seed}` must not be negative.")
    if not 0 < false_alarm < 1:
        raise UsageError(f"`--false-alarm {false_alarm:g}` must be a probability between 0 and 1, as 1e-6.")
    asked = list(dict.fromkeys(problems)) or None
    expected = _expected(expect)
    return [Case(method, asked, budget, profile, seed, false_alarm, expected) for method in chosen]


def _check_names(kind: Kind, given: Iterable[str]) -> None:
    for text in given:
        name, _ = parsed(kind, text)
        path, separator, _ = name.rpartition(":")
        if separator and path.endswith(".py"):
            if not Path(path).expanduser().is_file():
                raise UsageError(f"{kind} `{name}`: there is no file {path}; give path/to/file.py:name.")
        elif name not in names(kind):
            load(kind, name)  # which says what is wrong, without loading anything


def _expected(given: Sequence[str]) -> dict[str, str]:
    from gradmark.judging.validation import STAGES
    from gradmark.judging.verdict import check_expected

    expected = {}
    for text in given:
        check, equals, reason = text.partition("=")
        if not equals:
            raise UsageError(
                f"`--expect {text}` has no reason: write it like --expect 'cost=why it may fail'."
            )
        expected[check.strip()] = reason.strip()
    check_expected(expected, STAGES)
    return expected
