"""What each format loses: error, underflow and the loss scale, at the largest depth and against depth."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from reports import cells as common
from reports import numbers
from reports.studies.precision import cells, entries, networks
from reports.studies.precision.depths import with_first_layer
from reports.table import Cell, Table

_CAPTION = (
    "At the largest depth: the relative error and the correct digits of the whole gradient, the error of the "
    "first layer's matrix, how many layers have a matrix that is zero throughout, and the loss scale at the "
    "end of the call (repeated: how often the way back was made anew at half the scale, after an overflow). "
    "Right: the share of all entries of the gradient that are zero and should not be, by the number of "
    "hidden layers; up to 0.1 % are zero by rounded terms that cancel. Errors are taken against the "
    "reference from each problem's own rounded numbers."
)
_COLUMNS = ["format", "whole gradient|error", "whole gradient|digits", "first layer|error"]
_COLUMNS += ["layers|wholly zero", "loss scale|after"]
_DATA = ["case", "network", "hidden", "format", "precision", "kind", "scaling", "start", "error", "digits"]


def build(cases: pd.DataFrame) -> list[Table]:
    """A table for each network."""
    return [_table(network, index) for index, network in enumerate(networks.deep(cases))]


def _table(network: pd.DataFrame, index: int) -> Table:
    network = with_first_layer(network)
    depths, last = sorted(set(network["hidden"])), networks.deepest(network)["hidden"].iloc[0]
    columns = [*_COLUMNS, *(f"entries underflowed at depth|{depth:.0f}" for depth in depths)]
    names = list(dict.fromkeys(network["format"]))
    rows = [_row(network[network["format"] == name], depths, last) for name in names]
    data = network.assign(
        first_layer_error=network["first_layer"],
        underflowed=_numbers(cells.fraction(row) for row in network.to_dict("records")),
        layers_lost=_numbers(_lost_layers(row) for row in network.to_dict("records")),
        scale_after=_numbers(((d or {}).get("state") or {}).get("scale") for d in network["passes_detail"]),
        ways_back=_numbers((d or {}).get("pullback") for d in network["passes_detail"]),
    )
    data = data[[*_DATA, "first_layer_error", "underflowed", "layers_lost", "scale_after", "ways_back"]]
    title = f"{network['network'].iloc[0]}, {last:.0f} hidden layers"
    name, caption = (f"precision-{index}", "As above.") if index else ("precision", _CAPTION)
    return Table(name, title, caption, columns, rows, data)


def _numbers(values: Iterable[float | None]) -> list[float]:
    """NaN for what is not known."""
    return [float("nan") if value is None else float(value) for value in values]


def _row(own: pd.DataFrame, depths: list[float], last: float) -> list[Cell]:
    first, at = own.iloc[0].to_dict(), networks.one(own, hidden=last)
    return [
        cells.name(first),
        cells.error(at, at["error"] if at else float("nan")),
        common.digits(at),
        cells.error(at, at["first_layer"] if at else float("nan")),
        _layers(at),
        common.NOTHING if at is None else cells.state(at),
        *(cells.lost(networks.one(own, hidden=depth)) for depth in depths),
    ]


def _layers(at: dict[Any, Any] | None) -> Cell:
    number = None if at is None else _lost_layers(at)
    if at is None or number is None:
        return common.NOTHING
    return Cell(
        numbers.count(number),
        f"of {at['hidden'] + 1:.0f}",
        at["case"],
        kind=f"number {'bad' if number else 'good'}",
    )


def _lost_layers(row: dict[Any, Any]) -> int | None:
    """None where the case has no errors."""
    found = entries.of_cases(pd.DataFrame([row]))
    return None if found.empty or pd.isna(row["error"]) else entries.lost_layers(found)
