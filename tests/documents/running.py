"""Do what a document says, in a folder of its own, and say where it is wrong."""

import contextlib
import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.documents.blocks import Block, Command, blocks, commands

ROOT = Path(__file__).parents[2]
SECONDS = 240
"""A command of a document that takes longer is no example."""
RUN = ("gradmark", "python")
LEFT_OUT = ("git", "cd", "pip", "asv", "pytest", ".venv/bin/asv", ".venv/bin/pip")
"""Commands that change the machine or need a clone; other tests run asv."""


class DocumentError(AssertionError):
    """A block that does not do what the document says."""


def follow(document: Path, folder: Path) -> int:
    """Follow `document` inside `folder`, block by block; how many blocks were run.

    Python blocks share one namespace; with a title they are written as files instead. Of console blocks,
    `RUN` commands must end with their exit code, and targets of make must exist. Raises `DocumentError`.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    done = 0
    for block in blocks(document):
        if block.skipped or block.language not in ("python", "console"):
            continue
        where = f"{document.name} line {block.line}"
        with contextlib.chdir(folder):
            if block.title:
                Path(block.title).write_text(block.text, encoding="utf-8")
            elif block.language == "python":
                _run_python(block, namespace, where)
            else:
                _run_console(block, where)
        done += 1
    return done


def _run_python(block: Block, namespace: dict[str, Any], where: str) -> None:
    if ">>>" in block.text:
        _run_doctest(block, namespace, where)
        return
    try:
        exec(compile(block.text, where, "exec"), namespace)
    except Exception as error:
        raise DocumentError(f"{where}: {type(error).__name__}: {error}") from error


def _run_doctest(block: Block, namespace: dict[str, Any], where: str) -> None:
    example = doctest.DocTestParser().get_doctest(block.text, namespace, where, where, block.line)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append, clear_globs=False)
    if report:
        raise DocumentError(f"{where}: {''.join(report)}")
    namespace.update(example.globs)


def _run_console(block: Block, where: str) -> None:
    for command in commands(block.text):
        words = [
            word for word in shlex.split(command.text, comments=True) if not re.fullmatch(r"[A-Z_]+=.*", word)
        ]
        if words[0] in RUN:
            _run(command, where, exact=block.exact)
        elif words[0] == "make":
            _check_targets([word for word in words[1:] if "=" not in word], where)
        elif words[0] not in LEFT_OUT:
            raise DocumentError(f"{where}: no test knows how to run `{command.text}`")


def _run(command: Command, where: str, *, exact: bool) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        command.text,
        shell=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, "COLUMNS": "120"},
    )
    everything = result.stdout + result.stderr
    code, expected = result.returncode, command.exit_code
    if code != expected:
        raise DocumentError(f"{where}: `{command.text}` ended with {code}, not {expected}:\n{everything}")
    # Progress goes to stderr and differs each time; a command that fails says why there.
    printed = (everything if expected else result.stdout).strip()
    if exact and _lines(printed) != _lines(command.output):
        raise DocumentError(f"{where}: `{command.text}` printed\n{printed}\nnot\n{command.output}")


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n")]


def _check_targets(targets: list[str], where: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        if not re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE):
            raise DocumentError(f"{where}: the Makefile has no target `{target}`")
