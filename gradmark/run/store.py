"""A run is a folder: `environment.json`, and `records.jsonl` to which every finished record is appended.

What has been appended survives a crash, a kill and a full disk. A kill in the middle of a write leaves a torn
last line: readers pass over it, and the next writer removes it before it appends.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradmark.errors import UsageError
from gradmark.run.appending import append_lines, cannot_write, lock, mend
from gradmark.run.records import PLAIN_FORWARD, Record, from_line, plain, to_line

RECORDS = "records.jsonl"
ENVIRONMENT = "environment.json"
OUTPUT = "output.log"
_LOCK = ".lock"


class Store:
    """The records of one run folder, and the only way to add to them.

    Records are unique by study, case and quantity; where an unfinished case was tried again, the last counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = {record.place: record for record in read_records(folder)}
        self._cases: dict[tuple[str, str], dict[str, Record]] = {}
        for record in self._records.values():
            self._cases.setdefault((record.study, record.id), {})[record.quantity] = record

    @property
    def records(self) -> list[Record]:
        """All records, in the order of their first writing."""
        return list(self._records.values())

    def case(self, study: str, case_id: str) -> dict[str, Record]:
        """All that is known of a case, by quantity."""
        return self._cases.get((study, case_id), {})

    def cases(self) -> list[dict[str, Record]]:
        """All cases, each as its records by quantity."""
        return list(self._cases.values())

    def append(self, records: Iterable[Record]) -> list[Record]:
        """Write records to disk, and return those that were new.

        A quantity that is already there is left as it was, unless it had ended without a value. Returns when
        the disk has them. Raises `StorageError` when it is full; then none of `records` are kept.
        """
        new = [record for record in records if self._is_news(record)]
        if new:
            append_lines(self.folder / RECORDS, [to_line(record) for record in new])
        for record in new:
            self._records[record.place] = record
            self._cases.setdefault((record.study, record.id), {})[record.quantity] = record
        return new

    def _is_news(self, record: Record) -> bool:
        earlier = self._records.get(record.place)
        return earlier is None or (earlier.status != "done" and record.key["method"] != PLAIN_FORWARD)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The run folder, created where it is missing, locked against other writers and mended.

    Raises `UsageError` where the folder cannot be used: it is a file, cannot be written, or another process
    is writing to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the run folder `{folder}` cannot be used ({why}): give `--out` a folder you can write."
        ) from error
    try:
        lock(descriptor, folder)
        mend(folder / RECORDS)
        yield Store(folder)
    finally:
        os.close(descriptor)


def read_records(folder: Path) -> list[Record]:
    """The records of a run folder; a torn last line is passed over.

    A record that was written again counts once, at its first place with its last content. Raises `UsageError`
    for a line that is not a record.
    """
    path = folder / RECORDS
    if not path.exists():
        return []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror}.") from error
    records: dict[tuple[str, str, str], Record] = {}
    for number, line in enumerate(lines, start=1):
        record = _parsed(path, number, line, last=number == len(lines))
        if record is not None:
            records[record.place] = record
    return list(records.values())


def read_run(folder: Path) -> tuple[dict[str, Any], list[Record]]:
    """Environment and records of a run folder that exists; `UsageError` where there is none."""
    if not folder.is_dir() or not (folder / RECORDS).is_file():
        what = "is not there" if not folder.exists() else f"holds no {RECORDS}"
        raise UsageError(f"the run `{folder}` {what}: give a folder that `gradmark run --out` has written.")
    return read_environment(folder), read_records(folder)


def read_environment(folder: Path) -> dict[str, Any]:
    """What `environment.json` says; an empty dict where it is missing or was never finished."""
    try:
        environment = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return environment if isinstance(environment, dict) else {}


def write_environment(folder: Path, environment: dict[str, Any]) -> None:
    """Write `environment.json` in one step, so that no reader finds half of it."""
    path, text = folder / ENVIRONMENT, json.dumps(plain(environment), indent=2, allow_nan=False) + "\n"
    temporary = path.with_suffix(".json.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _parsed(path: Path, number: int, line: bytes, *, last: bool) -> Record | None:
    if not line.strip():
        return None
    try:
        return from_line(line)
    except ValueError as error:
        if last:
            return None
        raise UsageError(f"`{path}` line {number} is not a record ({error}): remove that line.") from error
