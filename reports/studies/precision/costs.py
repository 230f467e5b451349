"""What each format costs in time and memory beside what it is worth in digits."""

from typing import Any

import pandas as pd

from reports import cells as common
from reports import numbers
from reports.studies.precision import cells, networks
from reports.table import Cell, Table

_CAPTION = (
    "Time of one gradient, peak memory (preparation included) and the bytes kept from the way forward for "
    "the way back, each beside how many times as much plain float32 takes: above 1 the format saves. Formats "
    "with a float32 master copy are timed interleaved with it; the other dtypes are problems of their own, "
    "timed one after the other. Digits are those of the whole gradient, against the reference from each "
    "problem's own numbers."
)
_COLUMNS = ["format", "time|of a gradient", "time|float32 takes", "memory|peak", "memory|float32 takes"]
_COLUMNS += ["kept between the passes|bytes", "kept between the passes|float32 takes", "digits"]
BASE = "float32"


def build(cases: pd.DataFrame) -> list[Table]:
    """A table for each network that was timed or whose memory was measured."""
    return [_table(network, index) for index, network in enumerate(networks.costed(cases))]


def _table(network: pd.DataFrame, index: int) -> Table:
    network = with_savings(network)
    rows = [_row(row) for row in network.to_dict("records")]
    first, shown = network.iloc[0], len(_COLUMNS) - bool(network["digits"].isna().all())
    place = f"{first['backend']} on {first['device']}"
    title = f"Costs on {first['network']}, P = {numbers.count(first['P'])}, {place}"
    columns = ["case", "network", "format", "precision", "kind", "P", "time", "time_low", "time_high"]
    columns += ["time_saving", "peak_bytes", "peak_saving", "kept_bytes", "kept_saving", "digits"]
    return Table(
        f"precision-costs{f'-{index}' if index else ''}",
        title,
        "As above." if index else _CAPTION,
        _COLUMNS[:shown],
        [row[:shown] for row in rows],
        network[columns],
    )


def with_savings(network: pd.DataFrame) -> pd.DataFrame:
    """With ``kept_bytes``, and how many times plain float32 takes of each quantity.

    There is no ratio of peaks that the measurement does not resolve.
    """
    details = [detail or {} for detail in network["peak_bytes_detail"]]
    network = network.assign(
        kept_bytes=[_kept(detail) for detail in details],
        _resolved=network["peak_bytes"].where(
            network["peak_bytes"] >= [float(detail.get("resolution") or 0) for detail in details]
        ),
    )
    base = networks.one(network, format=BASE) or {}
    names = {"time": "time_saving", "_resolved": "peak_saving", "kept_bytes": "kept_saving"}
    ratios = {
        saving: (base.get(name, float("nan")) / network[name]).where(network[name] > 0)
        for name, saving in names.items()
    }
    return network.assign(**ratios).drop(columns="_resolved")


def _kept(detail: dict[str, Any]) -> float:
    saved = detail.get("saved")
    return float(sum(saved.values())) if saved else float("nan")


def _row(row: dict[Any, Any]) -> list[Cell]:
    return [
        cells.name(row),
        _time(row),
        saving(row, "time_saving"),
        common.memory(row),
        saving(row, "peak_saving"),
        _bytes(row),
        saving(row, "kept_saving"),
        common.digits(row) if pd.notna(row["digits"]) else common.NOTHING,
    ]


def _time(row: dict[Any, Any]) -> Cell:
    if pd.isna(row["time"]):
        return common.NOTHING if row["status"] == "done" else common.failed(row)
    bracket = numbers.si_interval(row["time_low"], row["time_high"], row["time"], "s")
    return Cell(numbers.si(row["time"], "s"), bracket, row["case"], "median; quartiles below", "number")


def _bytes(row: dict[Any, Any]) -> Cell:
    if pd.isna(row["kept_bytes"]):
        return common.NOTHING
    return Cell(numbers.si(row["kept_bytes"], "B"), case=row["case"], kind="number")


def saving(row: dict[Any, Any], name: str) -> Cell:
    """So many times as much in float32."""
    value = row[name]
    if pd.isna(value):
        return common.NOTHING
    kind = "" if row["format"] == BASE else " good" if value > 1.02 else " bad" if value < 0.98 else ""
    return Cell(f"{value:.2f}×", case=row["case"], kind=f"number{kind}")
