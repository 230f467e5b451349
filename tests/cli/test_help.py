"""``--help`` comes at once, and reads well at every level."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Gradmark

HEAVY = ("numpy", "rich", "torch", "jax", "pandas", "scipy", "reports", "methods", "problems")


def test_help_imports_nothing_heavy_and_no_plug_in() -> None:
    code = f"""
import sys
from gradmark.cli.main import app
try:
    app(["--help"])
except SystemExit as end:
    assert end.code == 0
print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.split() == []
    assert "Usage: gradmark" in result.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("list", "run", "show", "compare", "validate", "report", "--version")),
        (("list",), ("methods, problems, reports or profiles",)),
        (("run",), ("--profile", "--method", "central_difference:step=1e-5", "--time-limit", "Ctrl-C")),
        (("show",), ("RUN", "--study")),
        (("validate",), ("NAME", "--all", "--expect", "--json", "1 where one is wrong", "mine.py:mine")),
        (("compare",), ("RUN_A", "RUN_B", "--ratio-threshold", "--error-threshold", "Exits with 1")),
    ],
    ids=lambda value: "gradmark " + " ".join(value) if isinstance(value, tuple) else None,
)
def test_help_says_what_can_be_given(
    command: tuple[str, ...], words: tuple[str, ...], gradmark: Gradmark
) -> None:
    result = gradmark(*command, "--help")
    assert result.exit_code == 0
    assert all(word in result.stdout for word in words)
    assert max(map(len, result.stdout.splitlines())) <= 110


def test_no_command_is_a_question_for_help(gradmark: Gradmark) -> None:
    assert gradmark().stdout == gradmark("--help").stdout


def test_the_version_is_the_package_s(gradmark: Gradmark) -> None:
    from importlib.metadata import version

    assert gradmark("--version").stdout == f"gradmark {version('gradmark')}\n"


def test_a_registered_command_has_the_first_line_of_its_docstring_as_help(gradmark: Gradmark) -> None:
    from reports.command import report

    assert report.__doc__
    first = report.__doc__.strip().partition("\n")[0]
    assert " ".join(first.split()[:3]) in gradmark("--help").stdout
