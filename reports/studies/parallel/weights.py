"""What leaving out the weights n_k / n costs where workers do not have equally many rows."""

from typing import Any

import pandas as pd

from methods.reverse.parallel.splitting import spans
from reports import numbers
from reports.cells import NOTHING
from reports.studies.parallel import workers
from reports.table import Cell, Table

_CAPTION = (
    "Relative error of the shards' gradients added up by their share n_k / n of the rows, and of their plain "
    "mean, in which the rows of small shards count more than others."
)


def pairs(cases: pd.DataFrame) -> list[tuple[dict[Any, Any], dict[Any, Any] | None]]:
    """Each plain mean with its weighted twin, if that was measured, by number of workers."""
    shards = cases[cases["error"].notna() & (cases["kind"] == workers.SHARDS) & ~cases["local"].astype(bool)]
    twins = {_same(row): row for row in shards[shards["weighted"].astype(bool)].to_dict("records")}
    plain = shards[~shards["weighted"].astype(bool)].sort_values("title", kind="stable").to_dict("records")
    return [(row, twins.get(_same(row))) for row in plain]


def _same(row: dict[Any, Any]) -> tuple[object, ...]:
    return row["problem"], row["sizes"], row["place"], row["dtype"], row["workers"]


def build(cases: pd.DataFrame) -> list[Table]:
    """One table, or none."""
    found = pairs(cases)
    if not found:
        return []
    columns = ["network", "workers K", "rows of each", "error|by weights", "error|plain mean"]
    rows = [
        [
            Cell(str(plain["title"]), str(plain["dtype"])),
            Cell(f"{plain['workers']:.0f}", kind="number"),
            Cell(", ".join(map(str, rows_of(plain)))),
            NOTHING if weighted is None else error(weighted),
            error(plain),
        ]
        for plain, weighted in found
    ]
    data = pd.DataFrame(
        {
            "case": plain["case"],
            "title": plain["title"],
            "workers": plain["workers"],
            "dtype": plain["dtype"],
            "plain_error": plain["error"],
            "weighted_error": None if weighted is None else weighted["error"],
        }
        for plain, weighted in found
    )
    return [Table("parallel-weights", "Shards of unequal size", _CAPTION, columns, rows, data)]


def rows_of(row: dict[Any, Any]) -> list[int]:
    """How many rows each worker has."""
    return [stop - start for start, stop in spans(int(row["rows"]), int(row["workers"]))]


def error(row: dict[Any, Any]) -> Cell:
    """The error of a case."""
    return Cell(numbers.three(row["error"]), "", str(row["case"]), kind="number")
