"""A long run says how it gets on, and how much time is left."""

import time

import pytest

from gradmark.run.plan import Comparison
from gradmark.run.progress import Clock, Lines, summary
from gradmark.run.records import PLAIN_FORWARD, Record

PLAN = [
    Comparison("cost", "quadratic", {"size": 3}, (), time_limit=limit) for limit in (10.0, 10.0, 20.0, 60.0)
]
DONE = Record({"method": "one"}, "case")


def test_the_time_left_counts_each_comparison_by_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(PLAN)
    assert clock.left() == ""
    clock.tick(0, measured=False)  # it was there already: no time passed, and nothing is known
    assert clock.left() == ""
    now[0] += 5.0
    clock.tick(1, measured=True)  # 5 s for a weight of 10, and 20 + 60 remain
    assert clock.left() == "about 40 s left"
    now[0] += 10.0
    clock.tick(2, measured=True)
    assert clock.left() == "about 30 s left"
    clock.tick(3, measured=True)
    assert clock.left() == ""


def test_a_log_has_a_line_for_each_comparison_that_measured_something(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines(PLAN[:2])
    for index, records in enumerate([[], [DONE]]):
        lines.started(index, PLAN[index])
        lines.ended(index, records, 1.23)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "[2/2] cost: quadratic(size=3) numpy cpu float64: 1 done, 1.2 s\n")


def test_a_summary_counts_methods_and_not_the_forward_pass() -> None:
    failed = Record({"method": "other"}, "case", status="failed")
    forward = Record({"method": PLAIN_FORWARD}, "case")
    assert summary([DONE, forward, failed, DONE]) == "2 done, 1 failed"
    assert summary([]) == "nothing new"
