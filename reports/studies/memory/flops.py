"""Operations forward, backward and run again, beside 2 - f1."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.studies.memory.cases import UNIFORM
from reports.table import Cell, Table

_CAPTION = (
    "Operations of matrix products in one pass over all rows, by the formulas of the layers (two for each "
    "multiply and add). A layer has as many for the gradient of its input as forward, and as many for that "
    "of its weights; but nobody needs the gradient of the data, so backward / forward is 2 - f, where f is "
    "the share of a forward pass that is multiplied by the data (of dense layers: the first). Embeddings are"
    " no products. Run again: what checkpointing in about √L segments computes a second time, from the "
    "forward passes that it counted, and below as a share of one forward pass. Of networks of equal layers "
    "the deepest."
)
_COLUMNS = [
    "network", "rows", "operations|forward", "operations|backward", "operations|run again",
    "|backward / forward", "|f", "|2 - f",
]  # fmt: skip
_OF_CASE = ("case", "network", "rows", "forward_flops", "pullback_flops", "first_layer_share")
_DATA = ["network", "rows", "forward_flops", "pullback_flops", "again", "share", "first_layer_share", "law"]


def networks(cases: pd.DataFrame) -> pd.DataFrame:
    """A line for each network with products: its operations, ``share`` backward / forward and ``law``."""
    known = cases[(cases["forward_flops"] > 0) & cases["pullback_flops"].notna()]
    known = known[known["first_layer_share"].notna()].sort_values(["P", "rows"], kind="stable")
    deepest = known.groupby("problem")["steps"].transform("max")
    known = known[known["steps"].isna() | (known["steps"] == deepest)]
    # Rows and activations change no share: the case with fewest rows stands for all.
    lines = [_line(group) for _, group in known.groupby(["problem", "P"], sort=False)]
    return pd.DataFrame(lines, columns=pd.Index(["case", "again_case", *_DATA]))


def _line(group: pd.DataFrame) -> dict[str, Any]:
    first = group.iloc[0]
    again = group[(group["kind"] == UNIFORM) & group["default"] & group["recomputed"].notna()]
    return {
        **{name: first[name] for name in _OF_CASE},
        "share": first["pullback_flops"] / first["forward_flops"],
        "law": 2 - first["first_layer_share"],
        "again": again["recomputed"].iloc[0] * first["forward_flops"] if len(again) else float("nan"),
        "again_case": again["case"].iloc[0] if len(again) else "",
    }


def build(cases: pd.DataFrame) -> list[Table]:
    """One table, or none where no operations are known."""
    found = networks(cases)
    if found.empty:
        return []
    rows = [_row(line) for line in found.to_dict("records")]
    return [Table("memory-operations", "Operations", _CAPTION, _COLUMNS, rows, found[["case", *_DATA]])]


def agrees(line: Mapping[Any, Any]) -> bool:
    """Whether backward / forward is the law, up to the rounding of a division."""
    return bool(abs(line["share"] - line["law"]) <= 1e-12)


def _row(line: Mapping[Any, Any]) -> list[Cell]:
    again = NOTHING
    if pd.notna(line["again"]):
        sub = f"{line['again'] / line['forward_flops']:.3f} × forward"
        again = Cell(numbers.si(line["again"], "FLOP"), sub, line["again_case"], kind="number")
    verdict = "good" if agrees(line) else "bad"
    return [
        Cell(line["network"]),
        Cell(numbers.count(line["rows"]), kind="number"),
        Cell(numbers.si(line["forward_flops"], "FLOP"), case=line["case"], kind="number"),
        Cell(numbers.si(line["pullback_flops"], "FLOP"), case=line["case"], kind="number"),
        again,
        Cell(f"{line['share']:.4f}", case=line["case"], kind=f"number {verdict}"),
        Cell(f"{line['first_layer_share']:.4f}", kind="number"),
        Cell(f"{line['law']:.4f}", kind="number"),
    ]
