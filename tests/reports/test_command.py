"""The command `gradmark report`."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import typer
from typer.testing import CliRunner

from reports.command import report
from tests.reports.synthetic import SyntheticRun

ASV = Path(__file__).with_name("asv_results")


def test_the_command_is_found_through_its_entry_point() -> None:
    (found,) = entry_points(group="gradmark.commands", name="report")
    assert found.load() is report


def test_the_command_writes_where_it_is_told_and_says_where(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    app = typer.Typer()
    app.command()(report)
    run, out = synthetic_run.write(tmp_path / "run"), tmp_path / "out"
    result = CliRunner().invoke(app, [str(run), "--out", str(out), "--asv", str(ASV)])
    assert result.exit_code == 0, result.output
    assert str(out / "index.html") in result.output.replace("\n", "")
    assert (out / "report.md").is_file()
    assert (out / "tables" / "asv.csv").is_file()
    assert not (run / "report").exists()


def test_help_needs_none_of_the_heavy_libraries() -> None:
    heavy = "{'matplotlib', 'pandas', 'jinja2', 'numpy', 'scipy', 'torch'}"
    code = f"import sys, reports.command; loaded = {heavy} & set(sys.modules); assert not loaded, loaded"
    subprocess.run([sys.executable, "-c", code], check=True)
