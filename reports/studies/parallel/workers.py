"""The cases of the study by kind and number of workers, with their time in that of one worker."""

import json
from typing import Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.run import Run
from reports.style import Look

NAMES = {"gpipe": "GPipe", "1f1b": "1F1B"}
"""The schedules as their authors write them."""
ONE, SHARDS = "one worker", "data parallel"
LOOKS = {
    ONE: Look("#555555", "s"),
    SHARDS: Look("#0072B2", "o"),
    "pipeline GPipe": Look("#E69F00", "^"),
    "pipeline 1F1B": Look("#009E73", "v"),
}
"""The kinds in the order of tables, with colours as far apart as those of families."""


def of_run(run: Run) -> pd.DataFrame:
    """The finished cases, in the order of `LOOKS` and by number of workers, with the columns

    ``kind`` (of `LOOKS`), ``workers``, ``micro_batches`` (NaN: none), ``normalisation`` ("": the problem has
    none), ``local`` (each worker normalises by its own rows), ``weighted`` (by how many rows it has) and
    ``title`` (problem and what makes it another one); ``share``, ``share_low`` and ``share_high``, the time
    in that of one worker with the same problem and place; and the seconds ``compute``, ``communicate`` and
    ``call``, where the method tells them.
    """
    cases = run.cases[run.cases["status"] == "done"].copy()
    keys = [json.loads(key) for key in cases["key"]]
    described = pd.DataFrame([_described(key) for key in keys], cases.index, _DESCRIBED)
    cases = cases.join(described)
    cases = cases[cases["kind"].isin(LOOKS)]
    cases["title"] = _titles(cases)
    one = cases[cases["kind"] == ONE].drop_duplicates(_SAME).set_index(_SAME)["ratio"]
    beside = np.array(
        [one.get(same, np.nan) for same in cases[_SAME].itertuples(index=False, name=None)], float
    )
    for end in ("", "_low", "_high"):
        cases[f"share{end}"] = cases[f"ratio{end}"] / beside
    for phase in ("compute", "communicate", "call"):
        told = [((detail or {}).get("phases") or {}).get(phase) for detail in cases["time_detail"]]
        cases[phase] = pd.to_numeric(pd.Series(told, cases.index, dtype=object)).astype(float)
    order = cases["kind"].map(list(LOOKS).index)
    return cases.assign(order=order).sort_values(["order", "workers", "micro_batches"], kind="stable")


_SAME = ["problem", "sizes", "place", "dtype"]
_DESCRIBED = pd.Index(["kind", "workers", "micro_batches", "local", "weighted", "normalisation", "sizes"])


def name(row: Any) -> str:
    """A case's method in words: its kind and the number of workers."""
    return "backprop" if row["kind"] == ONE else f"{row['kind']}, K = {row['workers']:.0f}"


def _described(key: dict[str, Any]) -> list[Any]:
    hyper, sizes = key.get("hyper") or {}, key.get("sizes") or {}
    local, normalisation = bool(hyper.get("local_statistics")), str(sizes.get("normalisation") or "")
    common = [local, hyper.get("weighted") is not False, normalisation, json.dumps(sizes, sort_keys=True)]
    if key["method"] == "data_parallel_backprop":
        return [SHARDS, float(hyper.get("workers") or np.nan), np.nan, *common]
    if key["method"] == "pipeline_backprop":
        kind = f"pipeline {NAMES.get(str(hyper.get('schedule')))}"
        return [
            kind,
            float(hyper.get("stages") or np.nan),
            float(hyper.get("micro_batches") or np.nan),
            *common,
        ]
    return [ONE if key["method"] == "backprop" else "", 1.0, np.nan, *common]


def _titles(cases: pd.DataFrame) -> list[str]:
    """The problem and its rows; its parameters too where two of a kind differ in them."""
    several = cases.groupby(["problem", "rows"])["P"].transform("nunique") > 1
    return [
        f"{problem}, {rows:.0f} rows" + (f", P = {numbers.count(P)}" if told else "")
        for problem, rows, P, told in zip(cases["problem"], cases["rows"], cases["P"], several, strict=True)
    ]
