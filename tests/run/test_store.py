"""What was recorded survives a crash, a kill, a full disk, and whoever else wants to write."""

import errno
import os
from pathlib import Path

import pytest

from gradmark.errors import UsageError
from gradmark.run.appending import StorageError
from gradmark.run.records import PLAIN_FORWARD, Record, to_line
from gradmark.run.store import (
    ENVIRONMENT,
    RECORDS,
    Store,
    opened,
    read_environment,
    read_records,
    read_run,
    write_environment,
)


def record(number: int, quantity: str = "error", method: str = "one", **more: object) -> Record:
    return Record({"method": method, "number": number}, quantity, float(number), study="cost", **more)  # type: ignore[arg-type]


THREE = [record(number) for number in range(3)]


def values(folder: Path) -> list[float | None]:
    return [one.value for one in read_records(folder)]


def test_a_run_can_be_asked_what_it_has(store: Store) -> None:
    store.append(THREE)
    assert store.case("cost", THREE[1].id).get("error") == THREE[1]
    assert store.case("cost", THREE[1].id).get("time") is None
    assert store.case("depth", THREE[1].id).get("error") is None
    assert values(store.folder) == [0, 1, 2]


def test_a_quantity_is_recorded_once_unless_it_had_no_value(store: Store) -> None:
    store.append([record(1), record(1, "case", status="timed out")])
    again = [Record(record(1).key, "error", 9.0, study="cost"), record(1, "case")]
    assert store.append(again) == again[1:]
    assert [(one.value, one.status) for one in read_records(store.folder)] == [(1, "done"), (1, "done")]


def test_the_plain_forward_of_a_resumed_comparison_does_not_replace_the_first(store: Store) -> None:
    first = record(1, "time", PLAIN_FORWARD)
    store.append([first])
    assert store.append([Record(first.key, "time", 2.0, study="cost")]) == []


def test_a_line_torn_at_any_byte_costs_no_other_record(tmp_path: Path) -> None:
    whole = "".join(to_line(one) + "\n" for one in THREE).encode()
    first_two = len("".join(to_line(one) + "\n" for one in THREE[:2]).encode())
    path = tmp_path / RECORDS
    for length in range(first_two, len(whole) + 1):
        path.write_bytes(whole[:length])
        survivors = [0, 1, 2] if length >= len(whole) - 1 else [0, 1]
        assert values(tmp_path) == survivors
        with opened(tmp_path) as store:
            store.append([record(7)])
        assert values(tmp_path) == [*survivors, 7]
        assert path.read_bytes().endswith(b"\n")


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORDS).write_text(f"{to_line(THREE[0])}\nnonsense\n{to_line(THREE[1])}\n")
    with pytest.raises(UsageError, match="line 2 is not a record"):
        read_records(tmp_path)


def test_a_full_disk_keeps_what_is_there_and_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(THREE)
    before, write = (store.folder / RECORDS).read_bytes(), os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) > 100:
            return write(descriptor, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(StorageError, match=r"No space left on device.*what was measured before is kept"):
            store.append([record(3)])
    assert (store.folder / RECORDS).read_bytes() == before
    assert store.case("cost", record(3).id).get("error") is None
    store.append([record(3)])
    assert values(store.folder) == [0, 1, 2, 3]


def test_two_runs_cannot_write_into_one_folder(store: Store) -> None:
    with (
        pytest.raises(UsageError, match=f"another gradmark run \\(process {os.getpid()}\\) is writing"),
        opened(store.folder),
    ):
        pass


def test_a_folder_is_free_again_when_its_run_is_over(tmp_path: Path) -> None:
    for _ in range(2):
        with opened(tmp_path):
            pass


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="cannot be used"), opened(path):
            pass


def test_a_folder_without_records_is_no_run(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "holds no records"), (tmp_path / "nowhere", "is not there")):
        with pytest.raises(UsageError, match=why):
            read_run(path)


def test_half_an_environment_is_none(tmp_path: Path) -> None:
    write_environment(tmp_path, {"cpu": "fast", "load": float("nan")})
    assert read_environment(tmp_path) == {"cpu": "fast", "load": "nan"}
    text = (tmp_path / ENVIRONMENT).read_text()
    (tmp_path / ENVIRONMENT).write_text(text[: len(text) // 2])
    assert read_environment(tmp_path) == {}
