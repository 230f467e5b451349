"""What has changed between two runs: ratios to the plain forward pass, errors, counts, memory, and endings.

Seconds are not compared, because runs may come from different machines.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gradmark.arrays import epsilon
from gradmark.run.records import PLAIN_FORWARD, Record

Verdict = Literal["same", "noise", "better", "worse"]
COMPARED = ("case", "ratio", "error", "evaluations", "passes", "peak_bytes")


@dataclass(frozen=True)
class Difference:
    """One quantity of one case in both runs; `change` is new / old, None for endings."""

    old: Record
    new: Record
    change: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Compared:
    """All differences, and the cases that only one of the runs has."""

    differences: tuple[Difference, ...]
    only_old: int
    only_new: int

    def of(self, verdict: Verdict) -> list[Difference]:
        """The differences with one verdict."""
        return [difference for difference in self.differences if difference.verdict == verdict]


def compare_runs(
    old: Sequence[Record], new: Sequence[Record], *, ratio_threshold: float, error_threshold: float
) -> Compared:
    """Join two runs by study, case and quantity, and judge every difference.

    A time ratio or an error counts as changed when it differs by more than its threshold (a factor) and
    the 95 % intervals are disjoint; without intervals, which single calls don't have, the ratio must
    differ by the square of its threshold. Errors below the dtype's resolution count as that resolution.
    Counts are exact, so any difference counts. Memory counts beyond the ratio threshold and what the two
    measurements resolve.
    """
    before, after = _by_place(old), _by_place(new)
    thresholds = {"ratio": ratio_threshold, "peak_bytes": ratio_threshold, "error": error_threshold}
    differences = tuple(
        _difference(before[place], after[place], thresholds) for place in before if place in after
    )
    cases_before, cases_after = ({place[:2] for place in side} for side in (before, after))
    return Compared(differences, len(cases_before - cases_after), len(cases_after - cases_before))


def _by_place(records: Sequence[Record]) -> dict[tuple[str, str, str], Record]:
    return {
        record.place: record
        for record in records
        if record.quantity in COMPARED and record.key["method"] != PLAIN_FORWARD
    }


def _difference(old: Record, new: Record, thresholds: Mapping[str, float]) -> Difference:
    if old.status != new.status:
        verdict: Verdict = "worse" if old.status == "done" else "better" if new.status == "done" else "same"
        return Difference(old, new, None, verdict)
    if old.value is None and new.value is None:
        return Difference(old, new, None, "same")
    if old.value is None or new.value is None:
        # A value that is not finite was recorded as null: a gradient that had become NaN or has.
        return Difference(old, new, None, "worse" if new.value is None else "better")
    change = _change(old, new)
    if change == 1:
        return Difference(old, new, change, "same")
    if not _is_change(old, new, change, thresholds):
        return Difference(old, new, change, "noise")
    return Difference(old, new, change, "worse" if change > 1 else "better")


def _change(old: Record, new: Record) -> float:
    """New over old; errors are taken to be no smaller than the dtype's resolution."""
    assert old.value is not None and new.value is not None
    least = epsilon(old.key["dtype"]) if old.quantity == "error" else 0.0
    before, after = max(old.value, least), max(new.value, least)
    return after / before if before else (1.0 if not after else math.inf)


def _is_change(old: Record, new: Record, change: float, thresholds: Mapping[str, float]) -> bool:
    if old.quantity not in thresholds:
        return True
    threshold, factor = thresholds[old.quantity], max(change, 1 / change) if change else math.inf
    if old.quantity == "peak_bytes":
        assert old.value is not None and new.value is not None
        resolved = sum(float(record.detail.get("resolution", 0)) for record in (old, new))
        return factor > threshold and abs(new.value - old.value) > resolved
    if None in (old.low, old.high, new.low, new.high):
        return factor > (threshold**2 if old.quantity == "ratio" else threshold)
    return factor > threshold and _disjoint(old, new)


def _disjoint(old: Record, new: Record) -> bool:
    assert old.low is not None and old.high is not None and new.low is not None and new.high is not None
    return old.high < new.low or new.high < old.low
