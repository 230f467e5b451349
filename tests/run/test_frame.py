"""A run folder as a table."""

import json
from pathlib import Path
from typing import Any

import pytest

from gradmark.errors import UsageError
from gradmark.run.frame import read_frame

KEY = {"problem": "p", "sizes": {"widths": [3, 2]}, "method": "m", "hyper": {"step": 0.5}, "backend": "numpy"}


def record(quantity: str, value: float | None, **more: Any) -> str:
    line = {"key": KEY, "quantity": quantity, "value": value, "status": "done", "study": "s"}
    return json.dumps(line | more) + "\n"


def folder(path: Path, text: str) -> Path:
    (path / "records.jsonl").write_text(text)
    return path


def test_a_record_is_a_row_and_each_field_of_its_key_a_column(tmp_path: Path) -> None:
    claims = {"P": 6, "family": "reverse"}
    frame, _ = read_frame(
        folder(tmp_path, record("case", None, detail=claims) + record("time", 2.0, unit="s"))
    )
    assert frame["quantity"].tolist() == ["case", "time"]
    row = frame.iloc[1]
    assert (row["value"], row["unit"], row["method"], row["hyper.step"]) == (2.0, "s", "m", 0.5)
    assert row["sizes.widths"] == (3, 2)
    assert json.loads(row["key"]) == KEY


def test_what_the_case_says_stands_on_all_its_rows(tmp_path: Path) -> None:
    claims = {"P": 6, "family": "reverse"}
    frame, _ = read_frame(folder(tmp_path, record("time", 2.0) + record("case", None, detail=claims)))
    assert frame["P"].tolist() == [6, 6]
    assert frame["family"].tolist() == ["reverse", "reverse"]
    assert frame["case"].nunique() == 1


@pytest.mark.parametrize("torn", ['{"key": {"prob', "[1, 2]\n", '{"quantity": "time"}\n', "\x00\x00\n"])
def test_a_torn_line_is_left_out_and_counted(tmp_path: Path, torn: str) -> None:
    frame, _ = read_frame(folder(tmp_path, record("time", 2.0) + torn))
    assert len(frame) == 1
    assert frame.attrs["torn_lines"] == 1


def test_of_a_quantity_recorded_twice_the_last_counts(tmp_path: Path) -> None:
    frame, _ = read_frame(
        folder(tmp_path, record("time", None, status="failed", reason="x") + record("time", 3.0))
    )
    assert frame["value"].tolist() == [3.0]


def test_the_same_case_of_two_studies_is_in_the_table_twice(tmp_path: Path) -> None:
    frame, _ = read_frame(folder(tmp_path, record("time", 2.0) + record("time", 3.0, study="t")))
    assert sorted(frame["value"]) == [2.0, 3.0]


def test_an_empty_run_has_the_columns_and_no_rows(tmp_path: Path) -> None:
    frame, environment = read_frame(folder(tmp_path, ""))
    assert len(frame) == 0
    assert {"case", "value", "P", "method", "detail"} <= set(frame.columns)
    assert environment == {}


def test_a_folder_that_is_no_run_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gradmark run"):
        read_frame(tmp_path)


def test_an_unreadable_environment_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("{")
    assert read_frame(folder(tmp_path, record("time", 2.0)))[1] == {}
    (tmp_path / "environment.json").write_text('{"cpu": "x"}')
    assert read_frame(tmp_path)[1] == {"cpu": "x"}
