"""asv's result files: two machines, a failed cell, skipped cells, and an interval from a single sample."""

import itertools
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradmark.errors import UsageError
from reports import asv_laws, asv_results
from reports.page import make
from reports.run import read
from tests.reports.synthetic import SyntheticRun

FOLDER = Path(__file__).with_name("asv_results")
TIMING = "timing.Timing.time_gradient"


def test_every_cell_is_a_row_with_its_parameters() -> None:
    results = asv_results.read(FOLDER)
    assert set(results["machine"]) == {"alpha", "beta"}
    first = results.iloc[0]
    assert first["parameters"] == {"method": "backprop", "problem": "mlp", "size": 300, "device": "cpu"}
    assert first["value"] == 1e-5 + 2e-9 * 300
    assert (first["unit"], first["kind"], first["status"]) == ("seconds", "time", "done")


def test_skipped_and_failed_cells_are_told_apart() -> None:
    timing = asv_results.read(FOLDER).query("benchmark == @TIMING")
    status = {
        (row["machine"], row["parameters"]["method"], row["parameters"]["size"]): row["status"]
        for row in timing.to_dict("records")
    }
    assert status["beta", "central_difference", 10000] == "failed"
    assert status["alpha", "central_difference", 10000] == "done"
    assert all(
        status[machine, "complex_step", size] == "skipped"
        for machine in ("alpha", "beta")
        for size in (300, 1000)
    )


def test_the_infinite_interval_of_a_single_sample_is_none() -> None:
    timing = asv_results.read(FOLDER).query("benchmark == @TIMING and machine == 'beta'")
    assert math.isnan(timing["low"].iloc[0])
    assert timing["low"].iloc[1] > 0


def test_results_of_another_version_or_of_a_benchmark_that_is_gone_are_left_out() -> None:
    results = asv_results.read(FOLDER)
    assert set(results["benchmark"]) == {TIMING, "cost.Cost.track_forward_passes"}
    assert set(results.query("benchmark != @TIMING")["machine"]) == {"alpha"}


def test_laws_are_fitted_to_asv_results_as_to_runs() -> None:
    laws = {
        (law.machine, law.benchmark, law.parameters["method"]): law
        for law in asv_laws.laws(asv_results.read(FOLDER))
    }
    for machine in ("alpha", "beta"):
        law = laws[machine, TIMING, "backprop"]
        # Noiseless data: the optimiser stops at a relative change of 1e-8 in the sum of squares.
        assert law.exponent == pytest.approx(1.0, abs=1e-4)
    assert laws["alpha", TIMING, "central_difference"].exponent == pytest.approx(2.0, abs=1e-4)
    assert laws["beta", TIMING, "central_difference"].exponent is None
    assert "3 sizes" in laws["beta", TIMING, "central_difference"].reason
    cost = "cost.Cost.track_forward_passes"
    assert laws["alpha", cost, "backprop"].exponent == 0.0
    assert laws["alpha", cost, "central_difference"].exponent == pytest.approx(1.0, abs=1e-12)


def test_only_the_newest_result_of_a_machine_is_fitted(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "results")
    file = next((tmp_path / "results" / "alpha").glob("aaaaaaaa*"))
    older = (
        file.read_text().replace("a" * 40, "c" * 40).replace('"date": 1700000000000', '"date": 1600000000000')
    )
    file.with_name("cccccccc-existing.json").write_text(older)
    results = asv_results.read(tmp_path / "results")
    assert set(results.query("machine == 'alpha'")["commit"]) == {"a" * 40, "c" * 40}
    assert set(asv_laws.newest(results).query("machine == 'alpha'")["commit"]) == {"a" * 40}


def test_the_report_has_a_table_of_asv_results(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    run = read(synthetic_run.write(tmp_path / "run"), asv_results.read(FOLDER))
    table = next(table for table in make(run).tables if table.name == "asv")
    row = next(
        r
        for r in table.rows
        if (r[0].text, r[1].text, r[3].text) == (TIMING, "beta", "central_difference, mlp, cpu")
    )
    assert [cell.text for cell in row[4:]] == ["2.85\u202fms", "30.1\u202fms", "270\u202fms", "failed", "–"]
    row = next(
        r for r in table.rows if (r[0].text, r[1].text, r[3].text) == (TIMING, "alpha", "backprop, mlp, cpu")
    )
    assert row[-1].text == "1.00"
    assert len(table.data) == 36


def test_a_folder_without_results_is_refused_and_the_default_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert asv_results.find(None) is None
    with pytest.raises(UsageError, match=r"benchmarks\.json"):
        asv_results.find(tmp_path)
    shutil.copytree(FOLDER, tmp_path / ".asv" / "results")
    assert asv_results.find(None) == Path(".asv/results")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "results")
    (tmp_path / "results" / "alpha" / "broken.json").write_text(content)
    with pytest.raises(UsageError, match=r"broken\.json"):
        asv_results.read(tmp_path / "results")


def test_the_numbers_are_those_that_asv_itself_reads() -> None:
    asv = pytest.importorskip("asv.results", reason="asv is not installed here")
    from asv.benchmarks import Benchmarks

    # asv loads benchmarks.json from a configuration of which it uses two folders.
    config = SimpleNamespace(results_dir=str(FOLDER), benchmark_dir=str(FOLDER))
    benchmarks = Benchmarks.load(config)
    ours = {
        (row["machine"], row["benchmark"], tuple(map(repr, row["parameters"].values()))): row["value"]
        for row in asv_results.read(FOLDER).to_dict("records")
    }
    theirs = {}
    for result in asv.iter_results(str(FOLDER)):
        for name in result.get_result_keys(benchmarks):
            params = benchmarks[name]["params"]
            for point, value in zip(
                itertools.product(*params), result.get_result_value(name, params), strict=True
            ):
                theirs[result.params["machine"], name, point] = math.nan if value is None else value
    assert ours.keys() == theirs.keys()
    assert all(
        ours[key] == theirs[key] or (math.isnan(ours[key]) and math.isnan(theirs[key])) for key in ours
    )
