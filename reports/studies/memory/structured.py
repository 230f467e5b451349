"""Networks of other layers: what each method keeps, its peak, and its forward passes."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.table import Cell, Table

_CAPTION = (
    "Convolutions, attention and recurrence. Kept: what the method says that it keeps between the way "
    "forward and the way back, each buffer once, as a share of backprop's below; torch.utils.checkpoint "
    "cannot say. Peak: all that one gradient holds, beside the gradient, with what single layers need while "
    "they run. A composite layer is one step, and a network of two steps has little to checkpoint."
)
_DATA = ["case", "network", "kind", "P", "rows", "dtype", "held", "beside", "forward"]
_PLAIN = ("mlp", "deep_mlp", "reversible_mlp")


def build(cases: pd.DataFrame) -> list[Table]:
    """One table, or none where there are only perceptrons."""
    found = cases[~cases["problem"].isin(_PLAIN) & cases["beside"].notna()]
    if found.empty:
        return []
    columns = ["network", "method", "kept", "peak beside the gradient", "forward passes"]
    rows = [row for _, group in found.groupby(["network", "P"], sort=False) for row in _rows(group)]
    return [Table("memory-structured", "Other networks", _CAPTION, columns, rows, found[_DATA])]


def _rows(group: pd.DataFrame) -> list[list[Cell]]:
    base = group[group["kind"] == "backprop"]
    unit = base.iloc[0] if len(base) else None
    return [
        [
            Cell(row["network"] if index == 0 else ""),
            Cell(row["label"]),
            _share(row, "held", unit),
            _share(row, "beside", unit),
            NOTHING
            if pd.isna(row["forward"])
            else Cell(numbers.three(row["forward"]), case=row["case"], kind="number"),
        ]
        for index, row in enumerate(group.to_dict("records"))
    ]


def _share(row: Mapping[Any, Any], column: str, unit: pd.Series | None) -> Cell:
    """Bytes, and below them their share of backprop's."""
    if pd.isna(row[column]):
        return NOTHING
    known = unit is not None and unit["case"] != row["case"] and unit[column] > 0
    sub = f"{row[column] / unit[column]:.2f} × backprop" if known and unit is not None else ""
    return Cell(numbers.si(row[column], "B"), sub, row["case"], kind="number")
