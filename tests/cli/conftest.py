"""What the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gradmark.cli.main import app
from tests.run.plans import IMPOSTORS

Gradmark = Callable[..., Result]
SPHERE = f"{IMPOSTORS}:sphere"


@pytest.fixture
def gradmark() -> Gradmark:
    """``gradmark("run", "--profile", "quick")``, in this process."""

    def command(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return command


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with a method that is right, one that is wrong, and one that fails."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    methods = [f"--method={IMPOSTORS}:{name}" for name in ("honest", "zeros", "raises")]
    result = CliRunner().invoke(app, ["run", f"--problem={SPHERE}:size=3", *methods, f"--out={folder}"])
    assert result.exit_code == 0, result.output
    return folder
