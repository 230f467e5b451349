"""The error of gradients by several workers beside that of one: to rounding."""

from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.studies.parallel import workers
from reports.table import Cell, Table

_CAPTION = (
    "Relative error |ĝ - g| / |g| of the whole gradient, and below it the correct digits as far as the "
    "reference knows them. K workers share out rows, the number of which K need not divide, or layers. An "
    "error of 0 is that of the reference itself. Each number links to its case."
)


def exact(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases with an error that should be one of rounding."""
    found = cases[cases["error"].notna() & ~cases["local"].astype(bool) & cases["weighted"].astype(bool)]
    # Where rows are coupled, `backprop` has nothing beside it here: see `normalised`.
    return found[found["normalisation"] != "batch"]


def build(cases: pd.DataFrame) -> list[Table]:
    """One table with a column for each problem in each dtype, or none."""
    found = exact(cases)
    if found.empty or (found["kind"] == workers.ONE).all():
        return []
    found = found.assign(method=[workers.name(row) for row in found.to_dict("records")])
    places = list(dict.fromkeys(zip(found["title"], found["dtype"], strict=True)))
    cells = {
        (row["method"], row["title"], row["dtype"]): _cell(row)
        for row in found.drop_duplicates(["method", "title", "dtype"]).to_dict("records")
    }
    rows = [
        [Cell(method), *(cells.get((method, *place), NOTHING) for place in places)]
        for method in dict.fromkeys(found["method"])
    ]
    columns = ["method", *(f"{title}|{dtype}" for title, dtype in places)]
    data = found[
        ["case", "method", "kind", "workers", "micro_batches", "title", "P", "dtype", "error", "digits"]
    ]
    return [Table("parallel-exactness", "Equality with one worker", _CAPTION, columns, rows, data)]


def _cell(row: dict[Any, Any]) -> Cell:
    digits = f"{row['digits']:.1f} digits" if pd.notna(row["digits"]) else ""
    return Cell(numbers.three(row["error"]), digits, str(row["case"]), kind="number")
