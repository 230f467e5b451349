"""The committed verdicts on the built-in methods, and whether they are stale."""

import json
from pathlib import Path

import pytest

import gradmark
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.presenting.brief import stale, to_brief
from gradmark.judging.verdict import Finding
from tests.methods.cases import APART

COMMITTED = Path(gradmark.__file__).parents[1] / "docs" / "judge.json"
REPORT = ValidationReport(
    "backprop", (Finding("accuracy", "passed", "it agrees", dtype="float64", digits=15.04),), seconds=1.23
)


def test_a_brief_says_of_each_method_its_verdict_and_digits() -> None:
    entry = json.loads(to_brief([REPORT]))["methods"]["backprop"]
    assert (entry["verdict"], entry["digits"], entry["seconds"]) == ("correct", 15.0, 1.2)
    assert entry["findings"] == {"passed": 1}


def test_a_brief_is_stale_when_a_package_has_changed_since() -> None:
    brief = json.loads(to_brief([REPORT]))
    assert stale(brief) == []
    brief["sources"]["methods"] = "0" * 16
    assert stale(brief) == ["methods"]
    assert set(stale({})) == set(brief["sources"])


def test_every_built_in_method_was_judged_correct() -> None:
    """But for peers whose packages are not a part of any extra: without them nothing can be said."""
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))["methods"]
    verdicts = {name.partition("(")[0]: entry["verdict"] for name, entry in committed.items()}
    assert set(verdicts) == set(gradmark.list_methods())
    assert {verdicts[name] for name in set(verdicts) - set(APART)} == {"correct"}


def test_the_committed_verdicts_speak_of_this_code() -> None:
    changed = stale(json.loads(COMMITTED.read_text(encoding="utf-8")))
    if changed:
        pytest.skip(f"docs/judge.json is stale: {', '.join(changed)} changed since; `make judge` renews it")
