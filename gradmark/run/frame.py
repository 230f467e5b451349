"""A run folder as one tidy table: a row for each record, a column for each field of its key."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradmark.errors import UsageError
from gradmark.run.records import Record, canonical, from_line
from gradmark.run.store import RECORDS, read_environment

if TYPE_CHECKING:
    import pandas as pd

KEY_FIELDS = (
    "problem", "method", "want", "point", "draw", "state",
    "seed", "backend", "device", "dtype", "threads", "version",
)  # fmt: skip
RECORD_FIELDS = ("study", "quantity", "value", "low", "high", "unit", "status", "reason")
CLAIMS = (
    "family", "exactness", "order", "black_box", "stochastic", "step_field", "samples_field",
    "P", "rows", "depth", "samples", "predicted_cosine", "declared_evaluations",
)  # fmt: skip


def read_frame(path: str | Path) -> tuple["pd.DataFrame", dict[str, Any]]:
    """The records of the run folder `path`, and what is known of the machine it ran on.

    Each row is one record. Columns: ``case`` (the id of the case, the same in every run), the fields of
    the record and of its key, ``sizes.NAME`` and ``hyper.NAME`` for each argument of the problem and
    hyper-parameter of the method, the claims of the method and the size of the problem (``family``, ``P``,
    ``depth``, ...: repeated on every row of a case), ``key`` (the key as JSON) and ``detail`` (a dict).
    Of a quantity recorded twice by one study the last record counts. A line that a crash has torn is left out
    and counted in ``frame.attrs["torn_lines"]``. The environment is {} where ``environment.json`` is missing
    or unreadable.

    Raises `UsageError` where `path` is not a run folder.
    """
    import pandas as pd

    folder = Path(path)
    file = folder / RECORDS
    if not file.is_file():
        raise UsageError(
            f"`{folder}` is not a run: it has no {RECORDS}. Give the folder of a `gradmark run`."
        )
    records, torn = _parse(file.read_bytes())
    latest = {record.place: record for record in records}.values()
    claims = {record.id: record.detail for record in latest if record.quantity == "case" and record.detail}
    for record in latest:
        if record.quantity == "error" and "predicted_cosine" in (record.detail or {}):
            predicted = {"predicted_cosine": record.detail["predicted_cosine"]}
            claims[record.id] = {**claims.get(record.id, {}), **predicted}
    rows = [_row(record, claims.get(record.id, {})) for record in latest]
    frame = (
        pd.DataFrame(rows)
        if rows
        else pd.DataFrame(columns=["case", *RECORD_FIELDS, *KEY_FIELDS, *CLAIMS, "key", "detail"])
    )
    frame.attrs["torn_lines"] = torn
    return frame, read_environment(folder)


def _parse(content: bytes) -> tuple[list[Record], int]:
    """The readable records and the number of lines that are none (a write cut short by a crash)."""
    records: list[Record] = []
    torn = 0
    for line in filter(bytes.strip, content.split(b"\n")):
        try:
            records.append(from_line(line))
        except ValueError:
            torn += 1
    return records, torn


def _row(record: Record, claims: Any) -> dict[str, Any]:
    key = record.key
    row: dict[str, Any] = {"case": record.id}
    row |= {name: getattr(record, name) for name in RECORD_FIELDS}
    row |= {name: key.get(name) for name in KEY_FIELDS}
    for group in ("sizes", "hyper"):
        row |= {f"{group}.{name}": _hashable(value) for name, value in (key.get(group) or {}).items()}
    row |= {name: claims.get(name) for name in CLAIMS}
    return row | {"key": canonical(key), "detail": dict(record.detail or {})}


def _hashable(value: Any) -> Any:
    """Lists (as JSON has them) become tuples, so that a column can be grouped by."""
    if isinstance(value, list):
        return tuple(_hashable(entry) for entry in value)
    return canonical(value) if isinstance(value, dict) else value
