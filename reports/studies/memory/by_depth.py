"""Peak memory by depth in numbers: measured, and as the formula says."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.studies.memory import theory
from reports.studies.memory.cases import NONE, REVERSIBLE, REVOLVE, UNIFORM, alike, words
from reports.table import Cell, Table

_CAPTION = (
    "Peak of one gradient (preparation included) less the gradient's own bytes, by the number L of equal "
    "layers (reversible: blocks, and a dense layer at either end). Below: the formula of methods that work "
    "in buffers allocated once: of backprop, all states, two deltas and the gradient of the outputs; of "
    "checkpointing, the most that is needed at once. A state, the outputs of one layer, is {state}. torch, "
    "and checkpointing in its buffer, put the gradient where activations have been dropped, so that their "
    "peak beside the gradient is less than what they keep. Every array takes whole pages, some "
    "kilobytes more for each layer, which a formula without growth shows. Growth: the exponent of L between "
    "the two largest depths, that of the formula there, and what theory says for large L. Forward passes: "
    "counted, at the largest depth."
)
_DATA = [
    "case",
    "kind",
    "label",
    "steps",
    "width",
    "rows",
    "dtype",
    "state_bytes",
    "beside",
    "held",
    "forward",
    "formula",
]
SLOPES = {NONE: 1.0, "autograd": 1.0, UNIFORM: 0.5, "torch_checkpoint": 0.5, REVOLVE: 0.0, REVERSIBLE: 0.0}
"""Growth with depth: of revolve for a fixed number of states, of the others without segments given."""


def series(cases: pd.DataFrame) -> list[pd.DataFrame]:
    """The methods measured at several depths, each over depth; without those that belong to one depth."""
    equal = alike(cases)
    equal = equal[equal["beside"].notna()]
    # Backprop of a reversible network is there to be compared with, and no series of its own.
    equal = equal[(equal["problem"] == "reversible_mlp") == (equal["kind"] == REVERSIBLE)]
    groups = [group.sort_values("steps") for _, group in equal.groupby("label", sort=False)]
    return [group.assign(formula=formula(group)) for group in groups if group["steps"].nunique() > 1]


def formula(group: pd.DataFrame) -> pd.Series:
    """Bytes beside the gradient by theory; NaN for methods without buffers of their own."""
    states = [_states(row) for row in group.to_dict("records")]
    return pd.Series(states, group.index, dtype=float) * group["state_bytes"]


def _states(row: Mapping[Any, Any]) -> float:
    steps, count = int(row["steps"]), row["count"]
    layer = int(row["width"]), int(row["rows"])
    if row["kind"] == NONE and row["problem"] == "deep_mlp":
        return steps + theory.BESIDE
    if row["kind"] == UNIFORM:
        segments = theory.segments_of(steps) if math.isnan(count) else int(count)
        return theory.uniform_beside(steps, segments, *layer)
    if row["kind"] == REVOLVE and not math.isnan(count):
        return theory.with_states_beside(steps, int(count), *layer)
    return math.nan


def growth(group: pd.DataFrame, column: str = "beside") -> float:
    """The exponent of L between the two largest depths; NaN where it is not known."""
    last = group[group[column] > 0].tail(2)
    if len(last) < 2:
        return math.nan
    (one, other), (low, high) = last[column], last["steps"]
    return float(np.log(other / one) / np.log(high / low))


def two_places(value: float) -> str:
    """An exponent in print, in which nothing is below zero by rounding.

    >>> two_places(-0.001), two_places(0.5)
    ('0.00', '0.50')
    """
    return f"{round(value, 2) + 0.0:.2f}"


def predicted(group: pd.DataFrame) -> str:
    """The exponent of the formula, where there is one, and that for large L."""
    own, large = growth(group, "formula"), f"large L: {SLOPES[group['kind'].iloc[0]]:g}"
    return large if math.isnan(own) else f"formula {own:.2f}, {large}"


def build(cases: pd.DataFrame) -> list[Table]:
    """One table, or none where there are not several depths."""
    found = series(cases)
    if not found:
        return []
    every = pd.concat(found)
    depths = sorted(set(every["steps"]))
    columns = ["method", *(f"L =|{depth:.0f}" for depth in depths), "|growth", "|forward passes"]
    caption = _CAPTION.format(state=numbers.si(every["state_bytes"].iloc[0], "B"))
    rows = [_row(group, depths) for group in found]
    title = f"Peak memory by depth: {words(every)}"
    return [Table("memory-depths", title, caption, columns, rows, every[_DATA])]


def _row(group: pd.DataFrame, depths: list[float]) -> list[Cell]:
    by_depth = {row["steps"]: row for row in group.to_dict("records")}
    last = by_depth[max(by_depth)]
    slope = Cell(two_places(growth(group)), predicted(group), last["case"], kind="number")
    passes = (
        NOTHING
        if pd.isna(last["forward"])
        else Cell(numbers.three(last["forward"]), case=last["case"], kind="number")
    )
    return [Cell(last["label"]), *(_cell(by_depth.get(depth)) for depth in depths), slope, passes]


def _cell(row: Mapping[Any, Any] | None) -> Cell:
    if row is None:
        return NOTHING
    sub = "" if pd.isna(row["formula"]) else f"formula {numbers.si(row['formula'], 'B')}"
    return Cell(numbers.si(row["beside"], "B"), sub, row["case"], kind="number")
