"""CONTRIBUTING's new method and new problem, in files outside the repository: run, reported, benchmarked."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from tests.benchmarks.suite import asv, cloned_suite, stored_results
from tests.documents.blocks import blocks

ROOT = Path(__file__).parents[2]
METHOD, PROBLEM = "my_method.py:my_difference", "my_problem.py:styblinski_tang"
MOST_LINES = 20
SIZE = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository with the files that CONTRIBUTING shows."""
    folder = tmp_path_factory.mktemp("outside")
    for block in blocks(ROOT / "CONTRIBUTING.md"):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def records(folder: Path) -> dict[str, dict[str, Any]]:
    """The records of the new method on the new problem, as the command line made them."""
    gradmark_command(
        "run", "--method", METHOD, "--problem", f"{PROBLEM}:size={SIZE}", "--out", "run", cwd=folder
    )
    lines = (folder / "run" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        record["quantity"]: record for record in map(json.loads, lines) if record["key"]["method"] == METHOD
    }


def gradmark_command(*arguments: str, cwd: Path) -> str:
    script = Path(sys.executable).with_name("gradmark")
    result = subprocess.run(
        [script, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ}
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", ["my_method.py", "my_problem.py"])
def test_an_example_is_as_short_as_its_mathematics(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    (definition,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    assert ast.get_docstring(definition)


def test_the_new_problems_closed_form_is_its_derivative(folder: Path) -> None:
    problem = gradmark.get_problem(str(folder / PROBLEM), size=SIZE)
    x = problem.parameters["x"]
    # The imaginary part of a complex step of 1e-40 is the derivative: its error is of order 1e-80.
    moved = problem.to(dtype="complex128").loss({"x": x + 1e-40j * np.eye(SIZE)})
    closed = problem.closed_form(problem.parameters, problem.default_draw)["x"]
    # Each entry is a sum of three terms of at most 2 * 5^3, rounded a few times.
    np.testing.assert_allclose(closed, moved.imag / 1e-40, rtol=0, atol=8 * 250 * 2.0**-52)


def test_the_new_method_is_measured(records: dict[str, dict[str, Any]]) -> None:
    assert records["case"]["status"] == "done"
    assert records["evaluations"]["value"] == 4 * SIZE
    assert records["time"]["value"] > 0
    assert records["ratio"]["value"] > 0


def test_the_new_methods_error_is_that_of_its_rounding(records: dict[str, dict[str, Any]]) -> None:
    """A fourth-order formula is exact on a quartic, so that nothing but rounding is left.

    Each of 30 coordinates adds at most 5^4 / 2 + 8 * 5^2 + 25 / 2 = 525 to |f| < 16e3; four losses, each with
    some 40 roundings, are weighted by 18 / 12h: an error below 40 * 16e3 * 2^-53 * 1.5 / 1e-3 = 1e-7 in every
    entry. The gradient's entries are of order 100, so the relative error is below 1e-8.
    """
    assert records["error"]["value"] < 1e-8


@pytest.mark.usefixtures("records")
def test_the_report_shows_the_new_method_and_the_new_problem(folder: Path) -> None:
    gradmark_command("report", "run", cwd=folder)
    page = (folder / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert "my_difference" in page
    assert "styblinski_tang" in page


def test_asv_measures_the_new_method_on_the_new_problem(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    suite = cloned_suite(tmp_path_factory.mktemp("suite"))
    asv(suite, "machine", "--yes")
    run = asv(
        suite,
        *("run", "--python=same", "--set-commit-hash=HEAD", "--quick", "--show-stderr"),
        *("--bench", rf"(timing|evaluations).*'{METHOD}', '{PROBLEM}', 300,"),
        GRADMARK_METHODS=str(folder / METHOD),
        GRADMARK_PROBLEMS=str(folder / PROBLEM),
    )
    assert run.returncode == 0, run.stdout + run.stderr
    results = stored_results(suite)
    assert results["evaluations.Evaluations.track_evaluations", METHOD, PROBLEM, "300", "cpu"] == 4 * 300
    seconds = results["timing.Timing.time_gradient", METHOD, PROBLEM, "300", "cpu"]
    assert seconds is not None
    assert seconds > 0
