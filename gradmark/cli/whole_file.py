"""Files that are there whole or not at all, also after a full disk or an interruption."""

import contextlib
import os
from pathlib import Path

from gradmark.errors import UsageError


def check_writable(option: str, path: Path) -> None:
    """Raise `UsageError` where no file can come to be at `path`, before the work that would fill it."""
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"`{option} {path}` is a folder: name a file in it.")
    if not folder.is_dir():
        raise UsageError(f"`{option} {path}`: there is no folder {folder}: make it, or name another file.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"`{option} {path}` cannot be written by you: name another file.")


def write_whole(path: Path, text: str) -> None:
    """Write `text` in one step; `UsageError` where it cannot be, and then the file is as it was.

    What is no regular file, such as /dev/stderr, is written to and not replaced.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text)
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be written ({error.strerror}): make room, or name another file."
        ) from error


def _replace(target: Path, text: str) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
