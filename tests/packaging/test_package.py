"""What is installed is whole: entry points, the command, the wheel, and the pins."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("gradmark", "methods", "problems", "reports")
ENTRY_POINTS = [
    (group, name) for group, points in PYPROJECT["project"]["entry-points"].items() for name in points
]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(("group", "name"), ENTRY_POINTS)
def test_every_entry_point_names_something_that_can_be_called(group: str, name: str) -> None:
    (point,) = importlib.metadata.entry_points(group=group, name=name)
    # What pytest asks for is a module of fixtures.
    assert callable(point.load()) or (group == "pytest11" and hasattr(point.load(), "gradient_check"))


def test_the_installed_entry_points_are_those_of_pyproject() -> None:
    installed = {
        (point.group, point.name)
        for point in importlib.metadata.distribution("gradmark").entry_points
        if point.group != "console_scripts"
    }
    assert installed == set(ENTRY_POINTS)


def test_the_version_is_the_same_everywhere() -> None:
    import gradmark

    assert gradmark.__version__ == PYPROJECT["project"]["version"]
    assert f"## [{gradmark.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_pin_is_a_dependency_at_a_version_that_pyproject_allows() -> None:
    project = PYPROJECT["project"]
    listed = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    requirements = {requirement.name: requirement for requirement in map(Requirement, listed)}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert pins
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert requirements[pin.name].specifier.contains(exact.version)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy of the sources (a build leaves folders behind)."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, sources)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    result = run(*command, str(sources), cwd=folder)
    assert result.returncode == 0, result.stderr
    (built,) = folder.glob("gradmark-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == sources
    assert "gradmark/py.typed" in inside
    assert any(name.startswith("reports/templates/") for name in inside)


def test_the_wheel_works_where_there_is_no_repository(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = (
        "import gradmark, sys; from gradmark.cli.main import main; "
        f"assert gradmark.__file__.startswith({str(tmp_path)!r}), gradmark.__file__; "
        "sys.argv = ['gradmark', 'list', 'methods']; main()"
    )
    result = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "installed"))
    assert result.returncode == 0, result.stderr
    for name in PYPROJECT["project"]["entry-points"]["gradmark.methods"]:
        assert name in result.stdout


def test_the_console_script_runs_in_any_folder(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("gradmark")
    result = run(str(script), "list", "problems", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name in PYPROJECT["project"]["entry-points"]["gradmark.problems"]:
        assert name in result.stdout
