"""The calibration command: it counts what there is, and it would notice a judge that errs."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from gradmark.cli.main import app
from gradmark.judging.calibrating.counts import LEVELS, Outcome, counted
from gradmark.judging.calibrating.series import outcomes
from gradmark.judging.calibrating.subjects import correct_methods


def of(p_values: list[float], accused: int = 0, check: str = "scale") -> list[Outcome]:
    return [Outcome(check, "it", p, number < accused) for number, p in enumerate(p_values)]


UNIFORM = list(np.random.default_rng(1).uniform(size=4000))


def faults(found: list[Outcome]) -> list[str]:
    return [fault for row in counted(found) for fault in row.faults]


def test_uniform_p_values_are_within_all_limits() -> None:
    rows = counted(of(UNIFORM) + of(UNIFORM[:500], check="noise.arrays"))
    assert [fault for row in rows for fault in row.faults] == []
    assert rows[-1].check == "all" and rows[-1].checks == 4500
    assert rows[0].below[1e-2] == sum(p <= 1e-2 for p in UNIFORM)


def test_p_values_that_are_too_small_too_large_or_too_alike_are_noticed() -> None:
    assert any("too many" in fault for fault in faults(of([p**2 for p in UNIFORM])))
    assert any("too few" in fault for fault in faults(of([0.02 + 0.98 * p for p in UNIFORM])))
    assert any("not uniform" in fault for fault in faults(of([p**1.2 for p in UNIFORM])))


def test_p_values_that_are_at_most_uniform_may_be_large_and_not_small() -> None:
    assert faults(of([p**0.5 for p in UNIFORM], check="sequential.arrays")) == []
    assert faults(of([p**1.5 for p in UNIFORM], check="sequential.arrays"))


def test_one_accusation_is_one_too_many() -> None:
    assert any("called wrong" in fault for fault in faults(of(UNIFORM, accused=1)))


def test_every_variant_of_every_registered_method_is_a_subject() -> None:
    names = [name for name, _ in correct_methods()]
    assert {"gaussian_es", "gaussian_es:antithetic=False", "forward_gradient", "random_signs"} <= set(names)
    assert len(names) == len(set(names))


def test_the_same_seed_gives_the_same_outcomes() -> None:
    one, again, other = (list(itertools.islice(outcomes(12, seed=seed), 4)) for seed in (3, 3, 4))
    assert one == again != other


def test_a_quick_calibration_finds_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, data = tmp_path / "page.md", tmp_path / "counts.json"
    with pytest.raises(SystemExit) as ended:
        app(["calibrate", "--checks", "150", "-q", "--json", str(data), "--markdown", str(page)])
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown
    assert "none was called wrong" in shown.out
    rows = json.loads(data.read_text())["rows"]
    assert rows[-1]["checks"] >= 140 and rows[-1]["accused"] == 0
    assert {f"{level:g}" for level in LEVELS} == set(rows[0]["below"])
    assert {row["check"].split(".")[0] for row in rows} >= {
        "sequential",
        "efficiency",
        "accuracy",
        "check_gradient",
    }
    assert "| sequential.scale |" in page.read_text()


def test_a_file_that_cannot_be_written_is_said_before_the_work() -> None:
    with pytest.raises(SystemExit) as ended:
        app(["calibrate", "--json", "/there/is/no/such/folder.json"])
    assert ended.value.code == 2
