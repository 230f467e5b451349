"""The scorecard: checkers are asked faithfully, answers are counted rightly, and the page shows them."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from gradmark.errors import UsageError
from reports.command import make_report
from reports.scorecard import NAME, page, record, tables
from reports.scorecard.asking import ask
from reports.scorecard.battery.case import Question, correct, wrong
from reports.scorecard.checkers import NAMES, checker, gradmark
from reports.scorecard.checkers.said import Said
from reports.scorecard.command import chosen_cases, chosen_checkers, scorecard
from reports.scorecard.counting import Counted, TooSlow
from reports.scorecard.outcome import Result
from reports.scorecard.record import Scorecard
from reports.scorecard.tally import below_the_bar, tally
from tests.reports.synthetic import SyntheticRun

PEERS = [name for name in NAMES if name != "gradmark"]
each_peer = pytest.mark.parametrize("name", PEERS)


def installed(name: str) -> str:
    if not checker(name).installed():
        pytest.skip(f"{name} is not installed here")
    return name


def question(factor: float, *, named: bool = False) -> Question:
    """sin x_i + x_i^2 / 2 with its gradient times `factor`; `named`: in two arrays."""
    x = np.linspace(-1.0, 1.0, 6)
    if not named:
        return Question(lambda x: np.sum(np.sin(x) + x * x / 2), lambda x: factor * (np.cos(x) + x), x)
    return Question(
        lambda p: np.sum(np.sin(p["a"])) + np.sum(p["b"] ** 3),
        lambda p: {"a": np.cos(p["a"]), "b": factor * 3 * p["b"] ** 2},
        {"a": x, "b": x.reshape(2, 3)},
    )


RIGHT, WRONG = (
    correct("right", "right", lambda: question(1.0)),
    wrong("wrong", "by a tenth", lambda: question(1.1)),
)


@each_peer
@pytest.mark.parametrize("named", [False, True])
def test_a_peer_accepts_a_right_gradient_and_rejects_one_that_is_a_tenth_too_large(
    name: str, named: bool
) -> None:
    """Of a dict the last array is wrong, so that a peer which sees the first alone would accept."""
    right = correct("right", "", lambda: question(1.0, named=named))
    tenth = wrong("wrong", "", lambda: question(1.1, named=named))
    accepted, caught = ask(installed(name), right), ask(name, tenth)
    assert (accepted.outcome, caught.outcome) == ("accepted", "caught"), (accepted.reason, caught.reason)
    assert accepted.evaluations > 0 and accepted.seconds > 0


@each_peer
def test_a_gradient_of_the_wrong_shape_counts_as_rejected_by_the_exception(name: str) -> None:
    short = wrong("short", "", lambda: replace(question(1.0), gradient=lambda x: np.cos(x)[:-1]))
    assert ask(installed(name), short).outcome == "caught"


def test_an_exception_out_of_gradmark_is_no_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(question: Any) -> Said:
        raise ZeroDivisionError("an error of its own")

    monkeypatch.setattr(gradmark, "check", breaks)
    assert ask("gradmark", WRONG).outcome == "crashed"
    assert below_the_bar([ask("gradmark", WRONG)])


def test_methods_and_functions_of_torch_are_not_for_every_peer() -> None:
    (method,) = chosen_cases("^method:over-h$")
    (torch,) = chosen_cases("^torch:softplus$")
    assert ask("scipy", method).outcome == ask("scipy", torch).outcome == "not applicable"
    assert ask("torch_fast", method).outcome == "not applicable"
    assert ask("torch_fast", torch).outcome == "caught"


def test_a_full_jacobian_of_1e5_parameters_is_too_slow() -> None:
    (case,) = chosen_cases("^smooth:entry-nan:100000")
    assert ask("scipy", case).outcome == "too slow"


def test_calls_are_counted_and_end_at_the_limit() -> None:
    counted = Counted(lambda x: 2 * x, evaluations=2)
    assert [counted(1), counted(2)] == [2, 4]
    with pytest.raises(TooSlow):
        counted(3)
    assert counted.exceeded


def result(kind: Any, outcome: Any, *, name: str = "gradmark", **changes: Any) -> Result:
    right = outcome in ("caught", "accepted")
    return Result(
        f"{kind}-{outcome}",
        "",
        kind,
        0.1,
        3,
        "float64",
        name,
        outcome,
        right,
        evaluations=10.0,
        seconds=1.0,
        **changes,
    )


def test_one_undecided_wrong_gradient_is_allowed_and_nothing_else() -> None:
    fine = [result("wrong", "caught"), result("correct", "accepted"), result("wrong", "undecided")]
    assert below_the_bar(fine) == []
    second = replace(fine[2], case="another")
    assert len(below_the_bar([*fine, second])) == 2
    for bad in (
        result("wrong", "missed"),
        result("correct", "accused"),
        result("correct", "crashed"),
        result("correct", "undecided"),
    ):
        (sentence,) = below_the_bar([*fine, bad])
        assert bad.case in sentence and bad.outcome in sentence
    assert below_the_bar([result("wrong", "missed", name="jax")]) == []


def test_what_a_checker_was_not_asked_about_is_counted_apart() -> None:
    counted = tally(
        "gradmark",
        [result("wrong", "caught"), result("wrong", "not applicable"), result("correct", "accused")],
    )
    assert (counted.asked_wrong, counted.asked_correct) == (1, 1)
    assert (counted.evaluations, counted.seconds) == (10.0, 2.0)


def test_the_record_comes_back_as_it_was(tmp_path: Path) -> None:
    results = (
        result("wrong", "caught"),
        replace(result("wrong", "missed"), error=math.inf, seconds=math.nan),
    )
    record.write(Scorecard(results, {"python": "3"}), tmp_path / NAME)
    content = json.loads(
        (tmp_path / NAME).read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
    )
    assert content["results"][1]["error"] == "inf"
    back = record.read(tmp_path / NAME)
    assert back.results[0] == results[0] and back.environment == {"python": "3"}
    assert back.results[1].error == math.inf and math.isnan(back.results[1].seconds)


@pytest.mark.parametrize("text", ["", "{}", '{"results": [{"case": 1}], "environment": {}}', "[]"])
def test_what_is_no_record_is_said_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(UsageError, match="holds no scorecard"):
        record.read(tmp_path / NAME)


def made(**changes: Any) -> Scorecard:
    seen = replace(result("wrong", "missed", name="jax"), reason="<script>alert(1)</script>")
    return Scorecard(
        (result("wrong", "caught"), replace(seen, case="wrong-caught"), result("correct", "accepted")), {}
    )


def test_the_page_shows_every_answer_and_runs_nothing_that_it_shows(tmp_path: Path) -> None:
    index = page.write(made(), tmp_path)
    text = index.read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert "caught 1 of 1 wrong gradients and accused 0 of 1 correct ones" in text
    assert "caught 0 of 1 wrong gradients" in text and "gradmark meets it" in text
    assert (tmp_path / "report.md").is_file() and (tmp_path / "tables" / "scorecard-cases.csv").is_file()


def test_a_report_of_a_folder_with_a_scorecard_alone_is_its_page(tmp_path: Path) -> None:
    record.write(made(), tmp_path / NAME)
    assert "gradmark: the scorecard" in make_report(tmp_path).read_text()


def test_a_report_of_a_run_with_a_scorecard_has_a_section_for_it(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    run = synthetic_run.write(tmp_path / "run")
    assert 'id="scorecard"' not in make_report(run).read_text()
    record.write(made(), run / NAME)
    assert 'id="scorecard"' in make_report(run).read_text()


def test_the_tables_have_a_line_for_each_checker_and_each_case() -> None:
    card = made()
    assert [str(row[0]) for row in tables.summary(card).rows] == ["gradmark", "jax check_grads"]
    assert [str(row[0]) for row in tables.cases(card).rows] == ["wrong-caught", "correct-accepted"]


def command(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(scorecard)
    return CliRunner().invoke(app, arguments)


def test_the_command_is_found_through_its_entry_point() -> None:
    (found,) = entry_points(group="gradmark.commands", name="scorecard")
    assert found.load() is scorecard


def test_the_command_prints_a_table_and_writes_record_and_page(tmp_path: Path) -> None:
    done = command(
        "--checker",
        "gradmark",
        "--checker",
        "scipy",
        "--case",
        "^smooth:zero:1000:float64$",
        "--out",
        str(tmp_path),
        "--cases",
    )
    assert done.exit_code == 0, done.output
    assert "scipy check_grad" in done.output and "smooth:zero" in done.output
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "index.html", "report.md", "tables"}


def test_the_command_fails_where_gradmark_lets_a_wrong_gradient_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradmark, "check", lambda question: Said("correct"))
    done = command("--checker", "gradmark", "--case", "^smooth:zero:1000:float64$")
    assert done.exit_code == 1
    assert "below the bar: smooth:zero" in done.output


def test_the_list_names_the_cases() -> None:
    assert command("--list", "--case", "^hidden:edge$").output.split()[:2] == ["wrong", "hidden:edge"]


def test_what_nobody_knows_is_said_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        chosen_cases("(")
    with pytest.raises(UsageError, match="no case's name contains"):
        chosen_cases("^nothing$")
    with pytest.raises(UsageError, match="checker"):
        chosen_checkers(["jacks"])


def test_help_needs_none_of_the_heavy_libraries() -> None:
    heavy = "{'matplotlib', 'pandas', 'jinja2', 'numpy', 'scipy', 'torch', 'jax'}"
    code = f"import sys, reports.scorecard.command; f = {heavy} & set(sys.modules); assert not f, f"
    subprocess.run([sys.executable, "-c", code], check=True)
