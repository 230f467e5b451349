"""What a ratio is a ratio to: the fastest plain forward pass of each backend, with its FLOP/s."""

from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.run import Run
from reports.series import scenes
from reports.table import Cell, Table

_CAPTION = (
    "Median time of one plain forward pass of the loss and, below, the arithmetic it does in a second (the "
    "layers' own formulas), so that a slow forward pass makes no method look cheap."
)

MOST_SIZES = 8
"""Sizes that get a column: those measured at most places."""


def build(run: Run) -> list[Table]:
    """One table over P for each scene of the summary, or none."""
    plain = run.denominators[run.denominators["time"].notna() & run.denominators["P"].notna()]
    tables = []
    for index, scene in enumerate(name for name in scenes(run.main) if (plain["scene"] == name).any()):
        cases = plain[plain["scene"] == scene]
        flops = [(detail or {}).get("flops_per_second") for detail in cases["time_detail"]]
        cases = cases.assign(flops=pd.Series(flops, cases.index, dtype=float))
        shown = sorted(cases["P"].value_counts().index[:MOST_SIZES])
        columns = ["where", "dtype", *[f"P =|{numbers.count(size)}" for size in shown]]
        rows = [_row(own, shown) for _, own in cases.groupby(["place", "dtype"], sort=False)]
        data = cases[["case", "scene", "place", "dtype", "P", "time", "time_low", "time_high", "flops"]]
        tables.append(
            Table(f"forward-{index + 1}", f"Plain forward pass: {scene}", _CAPTION, columns, rows, data)
        )
    return tables


def _row(own: pd.DataFrame, sizes: list[float]) -> list[Cell]:
    by_size = {row["P"]: row for row in own.to_dict("records")}
    first = own.iloc[0]
    return [Cell(first["place"]), Cell(first["dtype"]), *[_time(by_size.get(size)) for size in sizes]]


def _time(row: dict[Any, Any] | None) -> Cell:
    if row is None:
        return NOTHING
    speed = numbers.si(row["flops"], "FLOP/s") if pd.notna(row["flops"]) else ""
    return Cell(numbers.si(row["time"], "s"), speed, row["case"], kind="number")
