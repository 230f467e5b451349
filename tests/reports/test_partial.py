"""Runs that hold little: whatever there is makes a useful page."""

from pathlib import Path

import pytest

from gradmark.errors import UsageError
from reports.command import make_report
from reports.page import Page, make
from reports.run import Run, read
from tests.reports.synthetic import SyntheticRun


def lead(page: Page) -> str:
    """All its sentences."""
    return " ".join("".join(map(str, parts)) for _, parts in page.lead)


def test_an_empty_run_is_a_page_that_says_so(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    index = make_report(synthetic_run.write(tmp_path / "run"))
    assert index == tmp_path / "run" / "report" / "index.html"
    text = index.read_text()
    assert "This run holds no cases" in text
    assert "AMD EPYC 9005" in text
    assert (index.parent / "report.md").read_text().count("This run holds no cases") == 1


def test_a_run_of_one_method_at_one_size_has_a_summary_and_a_point(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("/home/me/bowl.py:bowl", {"size": 100}, "/home/me/mine.py:mine")
    synthetic_run.case(key, "", 100, None)
    for quantity, value in (("ratio", 3.0), ("time", 1e-3), ("error", 1e-4), ("digits", 4.0)):
        synthetic_run.add(key, quantity, value, "")
    page = make(read(synthetic_run.write(tmp_path / "run")))
    assert [figure.name for figure in page.figures] == ["frontier"]
    assert page.summary[0].title == "bowl.py:bowl"
    assert [cell.text for cell in page.summary[0].rows[0][:3]] == ["mine.py:mine", "numpy", "3.00"]
    assert not any(section.anchor == "skips" for section in page.sections)


def test_a_run_of_errors_alone_speaks_of_errors(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    for size in (100, 1000):
        key = synthetic_run.key("quadratic", {"size": size}, "backprop")
        synthetic_run.measure(key, "", size, None, what="error")
    said = lead(make(read(synthetic_run.write(tmp_path / "run"))))
    assert "Correct digits at P = 1\u202f000: in float64 backprop 15.5" in said
    assert "Cost of a gradient" not in said


def test_a_case_cut_off_before_its_end_was_recorded_is_interrupted_and_breaks_no_report(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    # What a crash leaves of the case at work: its quantities are there, how it ended and its P are not.
    synthetic_run.measure(synthetic_run.key("quadratic", {"size": 100}, "backprop"), "", 100)
    cut = synthetic_run.key("quadratic", {"size": 100}, "central_difference")
    synthetic_run.add(cut, "ratio", 3.0, "")
    assert read(synthetic_run.write(tmp_path / "run")).cases["status"].tolist() == ["done", "interrupted"]
    synthetic_run.records = synthetic_run.records[-1:]
    assert (
        "the run ended before this case did" in make_report(synthetic_run.write(tmp_path / "cut")).read_text()
    )


def test_a_run_in_which_all_was_skipped_gives_the_reasons(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.case(key, "", 100, None, status="skipped", reason="quadratic has no layers")
    page = make(read(synthetic_run.write(tmp_path / "run")))
    assert page.summary[0].rows[0][2].text == "skipped"
    assert page.summary[0].rows[0][2].note == "quadratic has no layers"


def test_a_run_whose_cases_know_no_size_still_makes_a_page(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.add(key, "case", None, "", status="failed", reason="the problem cannot be built", detail={})
    page = make(read(synthetic_run.write(tmp_path / "run")))
    assert "the problem cannot be built" in [
        cell.text for section in page.sections for t in section.tables for row in t.rows for cell in row
    ]


def test_a_torn_line_and_a_missing_environment_are_said(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.measure(key, "", 100, None)
    folder = synthetic_run.write(tmp_path / "run")
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"key": {"pro')
    (folder / "environment.json").unlink()
    warnings = make(read(folder)).warnings
    assert any("1 line(s)" in text for text in warnings)
    assert any("environment.json" in text for text in warnings)


def test_an_error_of_exactly_zero_is_drawn_and_told(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    for method, error in (("backprop", 0.0), ("central_difference", 1e-9)):
        key = synthetic_run.key("quadratic", {"size": 100}, method)
        synthetic_run.case(key, "", 100, None)
        synthetic_run.add(key, "time", 1.0, "")
        synthetic_run.add(key, "error", error, "")
    page = make(read(synthetic_run.write(tmp_path / "run")))
    assert page.figures[0].data.set_index("variant")["error"]["backprop"] == 0.0
    heights = [
        line.get_ydata()[0] for line in page.figures[0].canvas.axes[0].lines if len(line.get_ydata()) == 1
    ]
    assert 2.0**-55 in heights


def test_a_folder_that_is_no_run_and_a_report_that_cannot_be_written_are_refused(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    with pytest.raises(UsageError, match="is not a run"):
        make_report(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another --out"):
        make_report(synthetic_run.write(tmp_path / "run"), tmp_path / "file")


def test_the_lead_of_a_full_run_answers_cost_error_and_growth(full: Run, full_page: Page) -> None:
    said = lead(full_page)
    ended = full.records.query("quantity == 'case'").drop_duplicates("case")["status"].value_counts()
    for phrase in (
        f"{ended['done']} of {ended.sum()} cases finished; {ended['skipped']} skipped",
        f"{ended['timed out']} timed out and 1 failed",
        "backprop (reverse) 2.",
        "in float64 the exact methods 15.5, central_difference 9.3 and forward_difference 5.5",
        "gaussian_es 0.0447 [0.0424, 0.0469] from 64 pairs (theory 0.0447)",
        "central_difference in float64 1.00×10⁻⁵",
        "evaluations were counted they are as many as claimed",
    ):
        assert phrase in said, phrase


@pytest.mark.parametrize(("error", "named"), [(2.0, True), (1e-12, True), (1e-14, False)])
def test_an_exact_method_that_is_off_by_more_than_rounding_is_named(
    error: float, named: bool, tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.case(key, "", 100, None)
    synthetic_run.add(key, "error", error, "")
    said = lead(make(read(synthetic_run.write(tmp_path / "run"))))
    assert ("off by more than rounding explains: backprop" in said) is named
