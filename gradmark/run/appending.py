"""Appending whole lines to a file: a crash, a kill or a full disk never costs what was there before."""

import fcntl
import os
from pathlib import Path

from gradmark.errors import UsageError
from gradmark.run.records import from_line


class StorageError(RuntimeError):
    """The run folder cannot take another record; what it holds is intact."""


def append_lines(path: Path, lines: list[str]) -> None:
    """Append whole lines and wait for the disk; on failure nothing of them stays behind."""
    data = "".join(line + "\n" for line in lines).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        before = os.fstat(descriptor).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise cannot_write(path, error) from error
    finally:
        os.close(descriptor)


def mend(path: Path) -> None:
    """Make the file end with a whole line: finish a record that lacks only its line's end, cut a torn one."""
    if not path.exists():
        return
    data = path.read_bytes()
    _, _, last = data.rpartition(b"\n")
    if not last:
        return
    try:
        from_line(last)
        append_lines(path, [""])
    except ValueError:
        os.truncate(path, len(data) - len(last))


def lock(descriptor: int, folder: Path) -> None:
    """Take the writer's lock; the system gives it back when the process ends, however it ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise UsageError(
            f"another gradmark run (process {holder}) is writing to `{folder}`: wait for it, or give another "
            "`--out`."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def cannot_write(path: Path, error: OSError) -> StorageError:
    """The error for a write that failed, as one sentence."""
    return StorageError(
        f"`{path}` cannot be written ({error.strerror}): what was measured before is kept; make room and "
        "give the same command again to continue."
    )
