"""What the commands do when all is well."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gradmark as package
from gradmark.run.records import to_line
from gradmark.run.store import ENVIRONMENT, RECORDS, read_records
from tests.cli.conftest import SPHERE, Gradmark
from tests.run.plans import IMPOSTORS


def test_list_gives_a_line_to_every_method_with_its_claims(gradmark: Gradmark) -> None:
    result = gradmark("list", "methods")
    assert result.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines.keys() == set(package.list_methods())
    assert re.match(
        r"finite-difference; order 2 in step; computes .*; reads loss; on .*numpy",
        lines["central_difference"],
    )
    assert "unbiased over pairs; of the smoothed gradient" in lines["gaussian_es"]


@pytest.mark.parametrize(("what", "one"), [("problems", "mlp"), ("profiles", "quick"), ("reports", "report")])
def test_list_gives_a_line_to_everything_else(what: str, one: str, gradmark: Gradmark) -> None:
    result = gradmark("list", what)
    assert result.exit_code == 0
    assert any(re.match(rf"{one} +\w", line) for line in result.stdout.splitlines())


def test_a_run_says_how_it_went_and_what_to_do_next(finished_run: Path, gradmark: Gradmark) -> None:
    environment = json.loads((finished_run / ENVIRONMENT).read_text())
    assert environment["gradmark"] == package.__version__
    assert environment["threads"] == 1
    # The described process ran with the worker's threads.
    assert {pool["num_threads"] for pool in environment["blas"]} == {1}
    again = gradmark(
        "run", f"--problem={SPHERE}:size=3", f"--method={IMPOSTORS}:honest", "--out", finished_run
    )
    assert again.exit_code == 0
    assert again.stdout == (
        f"Nothing was missing: 2 done, 1 failed in {finished_run}. Next: gradmark report {finished_run}\n"
    )


def test_show_has_a_row_for_each_method_and_the_reason_of_a_failure(
    finished_run: Path, gradmark: Gradmark
) -> None:
    result = gradmark("show", finished_run)
    assert result.exit_code == 0
    for word in ("honest", "zeros", "raises", "plain forward", "failed: ZeroDivisionError", "sphere(size=3)"):
        assert word in result.stdout
    assert gradmark("show", finished_run, "--study", "cost").stdout == result.stdout


def test_a_run_compared_with_itself_is_no_worse(finished_run: Path, gradmark: Gradmark) -> None:
    result = gradmark("compare", finished_run, finished_run)
    assert result.exit_code == 0
    assert "0 worse, 0 better, 0 within noise" in result.stdout


def changed(run: Path, folder: Path, quantity: str, factor: float, **more: object) -> Path:
    """A copy of a run with one quantity of `honest` and `zeros` multiplied."""
    folder.mkdir()
    lines = []
    for record in read_records(run):
        line = json.loads(to_line(record))
        if (
            record.quantity == quantity
            and line["value"] is not None
            and record.key["method"] != "plain forward"
        ):
            for field in ("value", "low", "high"):
                line[field] = None if line[field] is None else line[field] * factor
        lines.append(json.dumps(line))
    (folder / RECORDS).write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    ("quantity", "factor", "code"),
    [
        ("ratio", 1000.0, 1),
        ("ratio", 0.001, 0),
        ("ratio", 1.05, 0),
        ("error", 4.0, 1),
        ("error", 2.0, 0),
        ("evaluations", 2.0, 1),
        ("evaluations", 0.5, 0),
        ("time", 1000.0, 0),
    ],
)
def test_the_exit_code_says_whether_something_is_worse_than_noise(
    quantity: str, factor: float, code: int, finished_run: Path, tmp_path: Path, gradmark: Gradmark
) -> None:
    result = gradmark("compare", finished_run, changed(finished_run, tmp_path / "other", quantity, factor))
    assert result.exit_code == code, result.output
    assert ("worse" in result.stdout.partition("quantities compared")[0]) == (code == 1)


def test_thresholds_are_for_the_one_who_compares(
    finished_run: Path, tmp_path: Path, gradmark: Gradmark
) -> None:
    other = changed(finished_run, tmp_path / "other", "error", 4.0)
    assert gradmark("compare", finished_run, other, "--error-threshold", "5").exit_code == 0


def test_ctrl_c_keeps_what_is_done_and_says_how_to_continue(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = [
        "run",
        f"--problem={SPHERE}:size=3",
        f"--method={IMPOSTORS}:honest",
        f"--method={IMPOSTORS}:hangs",
        f"--out={run}",
    ]
    code = f"import sys; sys.argv[1:] = {arguments!r}; from gradmark.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if (run / RECORDS).exists() and b"cosine" in (run / RECORDS).read_bytes():
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"gradmark run --problem={SPHERE}:size=3" in said
    assert f"--out={run}" in said
    assert "Traceback" not in said
    assert {"error", "cosine"} <= {record.quantity for record in read_records(run)}


def test_a_profile_can_be_narrowed_to_some_methods_of_one_s_own(gradmark: Gradmark) -> None:
    from gradmark.cli.selection import Selection, plan
    from gradmark.run.plan import MethodCall

    mine = MethodCall(f"{IMPOSTORS}:honest")
    chosen = plan(Selection(profile="quick", methods=(mine, MethodCall("backprop")), seed=4, time_limit=9.0))
    assert {call.name for comparison in chosen for call in comparison.methods} == {mine.name, "backprop"}
    assert all(mine not in comparison.methods for comparison in chosen if comparison.backend != "numpy")
    assert {(comparison.seed, comparison.time_limit) for comparison in chosen} == {(4, 9.0)}
