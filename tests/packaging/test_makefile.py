"""The Makefile explains itself, starts over after an interrupted install, and does nothing twice."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = ("help", "report", "test", "lint", "bench", "speed", "clean")

FAKE_PYTHON = """#!/bin/sh
# Stands in for Python: makes a "venv" around itself, and appends each command to the log.
echo "$@" >> "$LOG"
case "$1 $2" in
  "-c import"*) exit "${TOO_OLD:-0}" ;;
  "--version "*) echo "Python 3.8.10" ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") exit "${PIP_FAILS:-0}" ;;
esac
"""


class Clone:
    """A folder with the Makefile, where Python is a stand-in that logs what it is asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        self.python = folder / "fake-python"
        self.python.write_text(FAKE_PYTHON, encoding="utf-8")
        self.python.chmod(0o755)

    def make(self, *arguments: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Run make; its result, and the commands that the stand-in was given meanwhile."""
        self.log.write_text("", encoding="utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        result = subprocess.run(
            ["make", f"PYTHON={self.python}", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env={**clean, "LOG": str(self.log), **environment},
        )
        return result, self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_make_alone_lists_every_target_with_what_it_does(clone: Clone) -> None:
    result, _ = clone.make()
    listed = {line.split()[1]: line.split()[2:] for line in result.stdout.splitlines()}
    assert set(TARGETS) <= set(listed)
    assert all(listed.values())


def test_an_old_python_is_refused_in_a_sentence_that_says_what_to_do(clone: Clone) -> None:
    result, _ = clone.make("lint", TOO_OLD="1")
    assert result.returncode != 0
    assert "gradmark needs Python 3.11 or newer" in result.stderr
    assert "Python 3.8.10" in result.stderr
    assert "make PYTHON=python3.12 lint" in result.stderr
    assert not (clone.folder / ".venv").exists()


def test_a_second_make_installs_nothing(clone: Clone) -> None:
    stamp = ".venv/installed-test"
    _, first = clone.make(stamp)
    result, second = clone.make(stamp)
    assert [command for command in first if command.startswith("-m pip")]
    assert result.returncode == 0
    assert second == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt", "Makefile"])
def test_a_changed_requirement_is_installed_into_the_same_environment(clone: Clone, changed: str) -> None:
    stamp = ".venv/installed-test"
    clone.make(stamp)
    later = (clone.folder / stamp).stat().st_mtime + 1
    os.utime(clone.folder / changed, (later, later))
    _, commands = clone.make(stamp)
    assert [command for command in commands if command.startswith("-m pip")]
    assert not [command for command in commands if command.startswith("-m venv")]


def test_an_install_that_broke_off_is_begun_anew(clone: Clone) -> None:
    stamp = ".venv/installed-report"
    broken, _ = clone.make(stamp, PIP_FAILS="1")
    assert broken.returncode != 0
    half = clone.folder / ".venv" / "half-a-package"
    half.touch()
    result, commands = clone.make(stamp)
    assert result.returncode == 0
    assert [command for command in commands if command.startswith("-m venv")]
    assert not half.exists()


def test_every_install_obeys_the_constraints(clone: Clone) -> None:
    for stamp in ("report", "test", "bench"):
        _, commands = clone.make(f".venv/installed-{stamp}")
        (install,) = [command for command in commands if command.startswith("-m pip")]
        assert "-c constraints.txt" in install


def test_clean_keeps_what_was_measured(clone: Clone) -> None:
    measured = [clone.folder / "runs/quick/records.jsonl", clone.folder / ".asv/results/machine/result.json"]
    for file in measured:
        file.parent.mkdir(parents=True)
        file.touch()
    clone.make(".venv/installed-test")
    result, _ = clone.make("clean")
    assert result.returncode == 0
    assert all(file.exists() for file in measured)
    assert not (clone.folder / ".venv").exists()
