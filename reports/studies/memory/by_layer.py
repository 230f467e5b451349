"""Which layers keep how much: hand-derived backprop, layer by layer."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import numbers
from reports.studies.memory.cases import NONE
from reports.table import Cell, Table

_CAPTION = (
    "Bytes that each layer is the first to keep, in backprop: a buffer that two layers need, such as the "
    "output of an activation that is the next layer's input, stands where it is kept first. The loss keeps "
    "the outputs. Layers without a line keep nothing of their own."
)
_COLUMNS = ["network", "layer", "kind", "kept", "share of all"]
MOST_LAYERS = 12
"""Networks of more layers are left to the CSV file of cases."""


def build(cases: pd.DataFrame) -> list[Table]:
    """One table: the networks by their number of parameters, tanh and gelu standing for all perceptrons."""
    found = cases[(cases["kind"] == NONE) & cases["held"].notna() & cases["steps"].isna()]
    shown = pd.Series([_is_shown(row) for row in found.to_dict("records")], found.index, dtype=bool)
    found = found[shown].sort_values(["P", "rows"], kind="stable")
    activations = pd.Series(
        [str(sizes.get("activation")) for sizes in found["sizes"]], found.index, dtype=object
    )
    # More rows keep more of the same.
    found = found.assign(activation=activations).drop_duplicates(["problem", "P", "activation"])
    lines = [line for row in found.to_dict("records") for line in _lines(row)]
    if not lines:
        return []
    before = ["", *(line["case"] for line in lines)]
    rows = [_row(line, new=line["case"] != above) for line, above in zip(lines, before, strict=False)]
    return [Table("memory-layers", "Kept by layer", _CAPTION, _COLUMNS, rows, pd.DataFrame(lines))]


def _is_shown(row: Mapping[Any, Any]) -> bool:
    if len(_saved(row)) > MOST_LAYERS:
        return False
    return row["problem"] != "mlp" or (row["sizes"].get("activation") in ("tanh", "gelu"))


def _saved(row: Mapping[Any, Any]) -> dict[str, float]:
    saved: dict[str, float] = (row["peak_bytes_detail"] or {}).get("saved") or {}
    return saved


def _lines(row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    saved, kinds = _saved(row), list(row["layers"])
    kinds = [*kinds, "loss"] if len(kinds) == len(saved) - 1 else [""] * len(saved)
    return [
        {
            "case": row["case"],
            "network": row["network"],
            "layer": name,
            "layer_kind": "" if kind == name else kind,
            "kept": size,
            "share": size / row["held"],
        }
        for (name, size), kind in zip(saved.items(), kinds, strict=True)
        if size
    ]


def _row(line: Mapping[str, Any], *, new: bool) -> list[Cell]:
    return [
        Cell(line["network"] if new else ""),
        Cell(line["layer"]),
        Cell(line["layer_kind"]),
        Cell(numbers.si(line["kept"], "B"), case=line["case"], kind="number"),
        Cell(f"{100 * line['share']:.1f} %", kind="number"),
    ]
