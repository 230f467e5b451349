"""Tables print what the records say, and each number names the case it comes from."""

from pathlib import Path

import pandas as pd

from reports import numbers
from reports.page import Page
from reports.run import Run, read
from reports.table import Cell, Table
from reports.tables import cases, denominators, environment, skips, summary
from tests.reports.synthetic import RATIO, SyntheticRun


def cell(table: Table, method: str, place: str, column: str) -> Cell:
    row = next(row for row in table.rows if (row[0].text, row[1].text) == (method, place))
    return row[[name.rpartition("|")[2] for name in table.columns].index(column)]


def test_each_cost_is_the_ratio_of_the_case_it_links_to(full: Run, full_page: Page) -> None:
    table = full_page.summary[0]
    ratios = full.cases.set_index("case")["ratio"]
    found = 0
    for row in table.rows:
        for column, entry in zip(table.columns, row, strict=True):
            if column.startswith("cost in forward passes") and entry.kind == "number":
                assert entry.text == numbers.three(ratios[entry.case])
                found += 1
    assert found == int(
        full.main.query("scene == @table.title and dtype == 'float64'")["ratio"].notna().sum()
    )


def test_the_summary_says_what_was_counted_claimed_and_how_exact_it_is(full_page: Page) -> None:
    table = full_page.summary[0]
    evaluations = cell(table, "central_difference", "numpy", "evaluations")
    assert (evaluations.text, evaluations.sub) == (numbers.count(64070), "claimed " + numbers.count(64070))
    assert cell(table, "backprop", "numpy", "digits float64").text == "15.5"  # -log10(1.5 * 2^-52)
    assert cell(table, "backprop", "numpy", "digits float32").text == "6.7"
    assert cell(table, "gaussian_es", "torch", "cosine").sub.endswith(
        "theory 0.0447"
    )  # sqrt(64 / (64 + 32036))
    assert cell(table, "central_difference", "numpy", "method").sub == "black box"
    assert cell(table, "backprop", "numpy", "method").sub == "structured"


def test_a_case_without_a_number_shows_its_status_and_its_reason(full_page: Page) -> None:
    table = full_page.summary[0]
    entry = cell(table, "forward_difference", "numpy", numbers.count(100060))
    assert (entry.text, entry.note) == ("timed out", "took longer than 20 s")


def test_an_exponent_stands_beside_the_claim_and_the_verdict(full_page: Page) -> None:
    table = full_page.summary[0]
    entry = cell(table, "central_difference", "numpy", "passes")
    assert entry.sub.endswith("theory 1: agrees")
    assert "good" in entry.kind


def test_places_at_which_a_method_never_ran_are_left_to_the_skips(full_page: Page) -> None:
    table = full_page.summary[0]
    assert [row[1].text for row in table.rows if row[0].text == "autograd"] == ["torch"]
    skipped = next(table for table in full_page.tables if table.name == "skips")
    reasons = {row[-1].text for row in skipped.rows if row[0].text == "autograd"}
    assert reasons == {
        "it runs on torch, not on the numpy backend",
        "it runs on torch, not on the jax backend",
    }


def test_evaluations_that_are_not_as_claimed_are_marked(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "central_difference")
    synthetic_run.case(key, "cost", 100, None)
    synthetic_run.add(key, "evaluations", 201, "cost")
    run = read(synthetic_run.write(tmp_path / "run"))
    entry = cell(summary.build(run)[0], "central_difference", "numpy", "evaluations")
    assert (entry.text, entry.sub) == ("201", "claimed 200")
    assert "bad" in entry.kind


def test_memory_below_the_resolution_is_given_as_a_bound(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.case(key, "cost", 100, None)
    synthetic_run.add(key, "peak_bytes", 100.0, "cost", detail={"resolution": 4000})
    table = summary.build(read(synthetic_run.write(tmp_path / "run")))[0]
    assert cell(table, "backprop", "numpy", "peak memory").text == "< " + numbers.si(4000, "B")


def test_every_case_that_is_not_done_is_in_the_skips(full: Run) -> None:
    table = skips.build(full)[0]
    missing = set(full.cases.loc[full.cases["status"] != "done", "case"])
    assert set(table.data["case"]) == missing
    assert sum(int(row[5].text) for row in table.rows) == len(missing)


def test_a_single_quantity_that_failed_is_in_the_skips(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.measure(key, "cost", 100, None, what="time")
    synthetic_run.add(key, "peak_bytes", None, "cost", status="failed", reason="no child process")
    table = skips.build(read(synthetic_run.write(tmp_path / "run")))[0]
    assert [(row[6].text, row[7].text) for row in table.rows] == [("peak_bytes: failed", "no child process")]


def test_a_case_that_was_interrupted_says_so(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.add(key, "time", 1e-3, "cost")
    table = skips.build(read(synthetic_run.write(tmp_path / "run")))[0]
    assert table.rows[0][6].text == "interrupted"


def test_the_denominators_come_with_their_flops(full: Run) -> None:
    table = denominators.build(full)[0]
    row = next(row for row in table.rows if (row[0].text, row[1].text) == ("numpy", "float64"))
    seconds = 4e-6 + 2e-9 * 1060
    assert (row[2].text, row[2].sub) == (numbers.si(seconds, "s"), numbers.si(512 * 1060 / seconds, "FLOP/s"))


def test_the_environment_names_kernels_threads_and_commit(full: Run) -> None:
    rows = {row[0].text: row[1].text for row in environment.build(full)[0].rows}
    assert "SkylakeX kernels, threads: 1" in rows["blas"]
    assert rows["commit"].startswith("0123456789abcdef")
    assert rows["memory"] == numbers.si(24e9, "B")


def test_the_cases_table_has_the_whole_key_of_what_is_cited(full: Run) -> None:
    case = full.cases.query("method == 'gaussian_es' and P == 1060")["case"].iloc[0]
    row = cases.build(full, {case})[0].rows[0]
    assert [entry.text for entry in row[:3]] == [case, "gaussian_es", "pairs=64, sigma=0.01"]


def test_every_method_of_the_run_is_in_the_summary(full_page: Page) -> None:
    assert {row[0].text for row in full_page.summary[0].rows} == set(RATIO)


def test_csv_files_read_back_to_the_same_numbers(full: Run, report: Path) -> None:
    stored = pd.read_csv(report / "tables" / "cases.csv").set_index("case")
    for quantity in ("time", "ratio", "error", "peak_bytes"):
        expected = full.cases.set_index("case")[quantity]
        assert stored[quantity][expected.notna()].tolist() == expected.dropna().tolist()
