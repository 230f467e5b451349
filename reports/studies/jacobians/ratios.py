"""Jacobians by forward and by reverse mode over the ratio of inputs to outputs, and where they cross."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.run import Run
from reports.table import Cell, Table

FORWARD, REVERSE = "forward", "reverse"
_CAPTION = (
    "Time of all n × m entries of the Jacobian of a map of n inputs to m outputs, with its 95 % "
    "interval, and "
    "below how many tangent passes or pullbacks were counted. Forward mode takes n tangent passes, reverse "
    "mode m pullbacks. Crossover: the n/m at which both take as long, where theory says 1 for "
    "passes of equal "
    "cost; its interval follows from those of the times at the neighbouring ratios."
)
_DATA = ["case", "variant", "family", "place", "dtype", "inputs", "outputs", "time", "time_low", "time_high"]


@dataclass(frozen=True)
class Crossing:
    """Where a method of forward mode costs as much as one of reverse mode: n/m; NaN: nowhere measured."""

    place: str
    forward: str
    reverse: str
    at: float
    low: float
    high: float
    case: str


def of_run(run: Run) -> pd.DataFrame:
    """The timed cases with ``inputs``, ``outputs`` and ``ratio_of``, n/m."""
    cases = run.cases[run.cases["time"].notna()].copy()
    sizes = [json.loads(key).get("sizes") or {} for key in cases["key"]]
    for name in ("inputs", "outputs"):
        cases[name] = pd.Series([each.get(name, np.nan) for each in sizes], cases.index, dtype=float)
    cases["ratio_of"] = cases["inputs"] / cases["outputs"]
    known = cases[cases["ratio_of"].notna() & cases["family"].isin((FORWARD, REVERSE))]
    return known.sort_values(["place", "family", "variant", "ratio_of"], kind="stable")


def crossings(found: pd.DataFrame) -> list[Crossing]:
    """Every method of forward mode against every one of reverse mode at the same place."""
    pairs = []
    for place, own in found.groupby("place", sort=False):
        forward = own[own["family"] == FORWARD].groupby("variant", sort=False)
        reverse = own[own["family"] == REVERSE].groupby("variant", sort=False)
        pairs += [_crossing(str(place), one, other) for _, one in forward for _, other in reverse]
    return pairs


def _crossing(place: str, one: pd.DataFrame, other: pd.DataFrame) -> Crossing:
    both = one.merge(other, on="ratio_of", suffixes=("", "_of_reverse")).sort_values("ratio_of")
    at = np.log(both["ratio_of"].to_numpy(float))
    middle = np.log((both["time"] / both["time_of_reverse"]).to_numpy(float))
    least = np.log((both["time_low"] / both["time_high_of_reverse"]).fillna(0.0).to_numpy(float))
    most = np.log((both["time_high"] / both["time_low_of_reverse"]).fillna(np.inf).to_numpy(float))
    # Where forward mode may be slower than it seems, it crosses earlier.
    here, low, high = (float(np.exp(zero(at, values))) for values in (middle, most, least))
    names = str(one["variant"].iloc[0]), str(other["variant"].iloc[0])
    return Crossing(place, *names, here, low, high, case=str(one["case"].iloc[len(one) // 2]))


def zero(at: Any, values: Any) -> float:
    """Where the line through the points comes from below zero to above, the last time; NaN: nowhere.

    >>> zero([0.0, 1.0, 2.0], [-1.0, 1.0, 3.0])
    0.5
    """
    for index in range(len(at) - 1, 0, -1):
        low, high = values[index - 1], values[index]
        if np.isfinite(low) and np.isfinite(high) and low <= 0 < high:
            return float(at[index - 1] + (at[index] - at[index - 1]) * -low / (high - low))
    return float("nan")


def build(found: pd.DataFrame) -> list[Table]:
    """The times, and the crossings."""
    if found.empty:
        return []
    ratios = sorted(set(zip(found["inputs"], found["outputs"], strict=True)))
    columns = ["method", "where", *(f"n × m =|{n:.0f} × {m:.0f}" for n, m in ratios)]
    rows = [_row(group, ratios) for _, group in found.groupby(["place", "variant"], sort=False)]
    times = Table("jacobians", "Jacobians by inputs and outputs", _CAPTION, columns, rows, found[_DATA])
    return [*_crossed(found), times]


def _crossed(found: pd.DataFrame) -> list[Table]:
    pairs = crossings(found)
    if not pairs:
        return []
    rows = [[Cell(each.place), Cell(each.forward), Cell(each.reverse), crossed(each)] for each in pairs]
    columns = ["where", "forward", "reverse", "crossover n/m"]
    data = pd.DataFrame([vars(each) for each in pairs])
    caption = "Forward mode is faster below, reverse mode above; theory: 1."
    return [
        Table("jacobians-crossings", "Where forward and reverse mode cross", caption, columns, rows, data)
    ]


def crossed(one: Crossing) -> Cell:
    """The ratio with its interval, or that there is none."""
    if np.isnan(one.at):
        return Cell("not crossed", case=one.case, kind="number muted")
    return Cell(numbers.three(one.at), numbers.interval(one.low, one.high), one.case, kind="number")


def _row(group: pd.DataFrame, ratios: list[tuple[float, float]]) -> list[Cell]:
    by_ratio = {(row["inputs"], row["outputs"]): row for row in group.to_dict("records")}
    first = group.iloc[0]
    name = Cell(first["variant"], kind=f"family {first['family']}")
    return [name, Cell(first["place"]), *(_cell(by_ratio.get(ratio)) for ratio in ratios)]


def _cell(row: Mapping[Any, Any] | None) -> Cell:
    if row is None:
        return NOTHING
    bracket = numbers.si_interval(row["time_low"], row["time_high"], row["time"], "s")
    detail = row["passes_detail"] or {}
    passes = detail.get("tangent") if row["family"] == FORWARD else detail.get("pullback")
    kind = "tangent passes" if row["family"] == FORWARD else "pullbacks"
    counted = f"{passes:.0f} {kind}" if passes else ""
    return Cell(numbers.si(row["time"], "s"), f"{bracket}\n{counted}".strip(), row["case"], kind="number")
