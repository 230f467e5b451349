"""The cases that the page cites: what each number's link leads to."""

import json

from reports.run import Run
from reports.table import Cell, Table

_CAPTION = (
    "The case behind each number: the whole key, which decides the answer. `tables/cases.csv` has all cases "
    "with all their quantities, `tables/records.csv` the records as they were measured."
)


def build(run: Run, cited: set[str]) -> list[Table]:
    """One table of the cases in `cited`; the CSV file has all of them."""
    keys: dict[str, dict[str, object]] = {}
    for frame in (run.cases, run.denominators):
        keys |= {case: json.loads(key) for case, key in zip(frame["case"], frame["key"], strict=True)}
    rows = [_row(case, key) for case, key in keys.items() if case in cited]
    if not rows:
        return []
    columns = [
        "case",
        "method",
        "hyper-parameters",
        "problem",
        "arguments",
        "backend",
        "device",
        "dtype",
        "threads",
        "seed",
    ]
    data = run.cases[
        [name for name in run.cases.columns if not name.endswith("_detail") and name != "detail"]
    ]
    return [Table("cases", "Cases", _CAPTION, columns, rows, data)]


def _row(case: str, key: dict[str, object]) -> list[Cell]:
    place = [Cell(str(key.get(name))) for name in ("backend", "device", "dtype", "threads", "seed")]
    return [
        Cell(case, kind="anchor"),
        Cell(str(key.get("method"))),
        Cell(_arguments(key.get("hyper"))),
        Cell(str(key.get("problem"))),
        Cell(_arguments(key.get("sizes"))),
        *place,
    ]


def _arguments(value: object) -> str:
    return (
        ", ".join(f"{name}={json.dumps(entry)}" for name, entry in value.items())
        if isinstance(value, dict)
        else ""
    )
