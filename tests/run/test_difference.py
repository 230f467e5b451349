"""Which differences between two runs are larger than noise."""

import pytest

from gradmark.arrays import epsilon
from gradmark.run.difference import compare_runs
from gradmark.run.records import PLAIN_FORWARD, Record

KEY = {"method": "one", "dtype": "float64"}


def verdict(old: Record, new: Record) -> str:
    (difference,) = compare_runs([old], [new], ratio_threshold=1.1, error_threshold=3.0).differences
    return difference.verdict


def record(quantity: str, value: float | None, low: float | None = None, high: float | None = None) -> Record:
    return Record(KEY, quantity, value, low=low, high=high, detail={"resolution": 65536})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (record("ratio", 3, 2.9, 3.1), record("ratio", 3, 2.9, 3.1), "same"),
        (record("ratio", 3, 2.9, 3.1), record("ratio", 3.6, 3.4, 3.8), "worse"),
        (record("ratio", 3.6, 3.4, 3.8), record("ratio", 3, 2.9, 3.1), "better"),
        # The intervals overlap.
        (record("ratio", 3, 2, 4), record("ratio", 5, 3.9, 6), "noise"),
        # They don't, but a tenth is no change.
        (record("ratio", 3, 2.99, 3.01), record("ratio", 3.2, 3.19, 3.21), "noise"),
        # Without intervals the threshold is squared: 1.21.
        (record("ratio", 3), record("ratio", 3.5), "noise"),
        (record("ratio", 3), record("ratio", 3.7), "worse"),
        (record("error", 1e-9), record("error", 2e-9), "noise"),
        (record("error", 1e-9), record("error", 4e-9), "worse"),
        (record("error", 0.5, 0.4, 0.6), record("error", 2.0, 1.9, 2.1), "worse"),
        (record("error", 0.0), record("error", epsilon("float64") / 2), "same"),
        (record("error", 0.0), record("error", 1.0), "worse"),
        (record("error", 1.0), record("error", None), "worse"),
        (record("error", None), record("error", 1.0), "better"),
        (record("evaluations", 100), record("evaluations", 101), "worse"),
        (record("passes", 0), record("passes", 1), "worse"),
        (record("peak_bytes", 2**20), record("peak_bytes", 2**21), "worse"),
        (record("peak_bytes", 2**12), record("peak_bytes", 2**16), "noise"),
        (record("peak_bytes", 2**30), record("peak_bytes", 1.05 * 2**30), "noise"),
        (Record(KEY, "case"), Record(KEY, "case", status="timed out"), "worse"),
        (Record(KEY, "case", status="failed"), Record(KEY, "case"), "better"),
        (Record(KEY, "case", status="failed"), Record(KEY, "case", status="timed out"), "same"),
    ],
)
def test_a_verdict_weighs_the_change_against_intervals_and_thresholds(
    old: Record, new: Record, expected: str
) -> None:
    assert verdict(old, new) == expected


def test_seconds_and_the_forward_pass_itself_are_not_compared() -> None:
    forward = {**KEY, "method": PLAIN_FORWARD}
    one = [Record(KEY, "time", 1.0), Record(forward, "time", 1.0)]
    other = [Record(KEY, "time", 9.0), Record(forward, "time", 9.0)]
    found = compare_runs(one, other, ratio_threshold=1.1, error_threshold=3.0)
    assert found.differences == ()


def test_cases_that_only_one_run_has_are_counted() -> None:
    old, new = ([Record({**KEY, "seed": seed}, "case") for seed in seeds] for seeds in ((0, 1, 2), (2, 3)))
    found = compare_runs(old, new, ratio_threshold=1.1, error_threshold=3.0)
    assert (len(found.differences), found.only_old, found.only_new) == (1, 2, 1)
