"""What perceptrons keep for the way back, by activation and rows, beside the law."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.studies.memory.cases import AUTOGRAD, NONE
from reports.studies.memory.theory import kept
from reports.table import Cell, Table

_CAPTION = (
    "Bytes kept between the way forward and the way back, each buffer counted once and parameters left out. "
    "The law for h alone: bytes of a number × rows × (n₀ + n₁ + … + n_L), the data and the outputs among "
    "them; for h and z the hidden layers count twice. Below each number what it is in laws of h alone. "
    "torch.autograd records the activation operation by operation as the problem writes it, and keeps what "
    "each of them needs. Peak: all that one gradient holds at once, beside the gradient itself."
)
_DATA = ["case", "network", "activation", "rows", "dtype", "kind", "held", "h", "both", "beside"]


def perceptrons(cases: pd.DataFrame) -> pd.DataFrame:
    """The perceptrons of which it is known what is kept, with the laws ``h`` and ``both``."""
    found = cases[(cases["problem"] == "mlp") & cases["held"].notna() & cases["kind"].isin((NONE, AUTOGRAD))]
    laws = [
        [kept(sizes["widths"], int(rows), int(itemsize), both=both) for both in (False, True)]
        for sizes, rows, itemsize in zip(found["sizes"], found["rows"], found["itemsize"], strict=True)
    ]
    return found.assign(
        activation=[str(sizes.get("activation")) for sizes in found["sizes"]],
        widths=["-".join(map(str, sizes["widths"])) for sizes in found["sizes"]],
        h=pd.Series([h for h, _ in laws], found.index, dtype=float),
        both=pd.Series([both for _, both in laws], found.index, dtype=float),
    )


def build(cases: pd.DataFrame) -> list[Table]:
    """One table, or none where nothing is known."""
    found = perceptrons(cases)
    if found.empty:
        return []
    columns = ["activation", "rows", "law|h alone", "law|h and z"]
    columns += [
        f"{title}|{kind}" for title in ("kept", "peak beside the gradient") for kind in (NONE, AUTOGRAD)
    ]
    columns.insert(5, "kept|by the law of")
    groups = found.groupby(["widths", "activation", "rows", "dtype", "place"], sort=False)
    parts = sorted((group for _, group in groups), key=_place)
    first = parts[0].iloc[0]
    title = f"Kept by activation: dense layers {_names(found)}, {first['dtype']}"
    return [
        Table("memory-activations", title, _CAPTION, columns, [_row(each) for each in parts], found[_DATA])
    ]


def _names(found: pd.DataFrame) -> str:
    return " and ".join(dict.fromkeys(found["widths"]))


def _place(group: pd.DataFrame) -> tuple[float, float, str]:
    first = group.iloc[0]
    return first["rows"], float(group["held"].min()), first["activation"]


def keeps(row: Mapping[Any, Any]) -> str:
    """Which of the laws the number is, to the byte."""
    return {row["h"]: "h alone", row["both"]: "h and z"}.get(row["held"], "neither")


def _row(group: pd.DataFrame) -> list[Cell]:
    by_kind = {row["kind"]: row for row in group.to_dict("records")}
    first, own = group.iloc[0], by_kind.get(NONE)
    laws = [Cell(numbers.si(first[name], "B"), kind="number muted") for name in ("h", "both")]
    held = [_bytes(by_kind.get(kind), "held") for kind in (NONE, AUTOGRAD)]
    peaks = [_bytes(by_kind.get(kind), "beside") for kind in (NONE, AUTOGRAD)]
    which = NOTHING if own is None else Cell(keeps(own), case=own["case"], kind=_kind(own))
    return [
        Cell(first["activation"]), Cell(numbers.count(first["rows"]), kind="number"),
        *laws, held[0], which, held[1], *peaks,
    ]  # fmt: skip


def _kind(row: Mapping[Any, Any]) -> str:
    return "bad" if keeps(row) == "neither" else "good"


def _bytes(row: Mapping[Any, Any] | None, column: str) -> Cell:
    if row is None or pd.isna(row[column]):
        return NOTHING
    sub = f"{row[column] / row['h']:.3f} × h alone" if column == "held" else ""
    return Cell(numbers.si(row[column], "B"), sub, row["case"], kind="number")
