"""A copy of the asv suite in a repository of its own, and what asv does there."""

import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASV = str(Path(sys.executable).with_name("asv"))
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost")

Results = dict[tuple[str, ...], float | None]
"""(benchmark, method, problem, size, device) -> number; NaN for a skipped cell, None for one that failed."""


def cloned_suite(folder: Path, **files: str) -> Path:
    """`folder` as a repository that holds the suite, `files` (NAME: text of NAME.py) and one commit."""
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("asv.conf.json", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*IDENTITY, "commit", "-q", "-m", "A suite"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def asv(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run asv in `folder`, which also stands in for the home folder where asv keeps the machine's name."""
    return subprocess.run(
        [ASV, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), **environment},
    )


def stored_results(folder: Path) -> Results:
    """What the only run in `folder` has stored."""
    (file,) = (path for path in (folder / ".asv/results").glob("*/*.json") if path.name != "machine.json")
    found: Results = {}
    stored = json.loads(file.read_text(encoding="utf-8"))
    for name, (values, parameters, *_) in stored["results"].items():
        named = [[value.strip("'") for value in values] for values in parameters]
        found |= dict(zip(((name, *cell) for cell in product(*named)), values or [], strict=False))
    return found
