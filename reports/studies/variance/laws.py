"""The relative variance of random forward gradients by law and directions, beside its formula."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.run import Run
from reports.table import Cell, Table

_CAPTION = (
    "Measured: the mean of |ĝ - g|² / |g|² over {seeds} random seeds, with its 95 % interval; below, the "
    "formula at this problem and measured over formula. With K directions: gaussian (P + 1)/K, rademacher "
    "(P - 1)/K, orthonormal P/K - 1, antithetic pairs 2 (P + 1)/K, because the second of a pair repeats the "
    "first. Activity perturbation moves nodes instead of weights; its formula takes slopes and activations."
)
_DATA = ["case", "P", "law", "directions", "variance", "variance_low", "variance_high", "formula", "seeds"]


def of_run(run: Run) -> pd.DataFrame:
    """The finished cases of unbiased methods with ``law``, ``directions`` and ``seeds``.

    ``variance`` (with ``_low`` and ``_high``) is the mean relative squared error, ``formula`` what the method
    claims of it here.
    """
    cases = run.cases[run.cases["error"].notna()].copy()
    hyper = [json.loads(key).get("hyper") or {} for key in cases["key"]]
    names = zip(cases["name"], hyper, strict=True)
    cases["law"] = [_law(name, own) for name, own in names]
    cases["directions"] = pd.Series([own.get("directions", np.nan) for own in hyper], cases.index, float)
    for name, key in (("expected", "predicted_error"), ("seeds", "repetitions")):
        told = [(detail or {}).get(key, np.nan) for detail in cases["error_detail"]]
        cases[name] = pd.Series(told, cases.index, dtype=float)
    cases["formula"] = cases["expected"] ** 2
    for end in ("", "_low", "_high"):
        cases[f"variance{end}"] = cases[f"error{end}"] ** 2
    known = cases[cases["formula"].notna() & cases["directions"].notna()]
    return known.sort_values(["P", "law", "directions"], kind="stable")


def _law(name: str, hyper: Mapping[str, Any]) -> str:
    what = {"forward_gradient": "weights", "activity_perturbation": "nodes"}.get(name, name)
    pairs = ", antithetic" if hyper.get("antithetic") else ""
    return f"{what}, {hyper.get('law', 'random')}{pairs}"


def build(found: pd.DataFrame) -> list[Table]:
    """A table for each P: laws downwards, directions to the right."""
    return [_table(own, size) for size, own in found.groupby("P")]


def _table(own: pd.DataFrame, size: Any) -> Table:
    counts = sorted(set(own["directions"]))
    columns = ["moved, law", *(f"relative variance with K =|{count:.0f}" for count in counts)]
    columns += ["all K|measured / formula"]
    rows = [_row(str(law), group, counts) for law, group in own.groupby("law", sort=False)]
    title = f"Variance measured and predicted: P = {numbers.count(size)}"
    caption = _CAPTION.format(seeds=f"{own['seeds'].min():.0f}")
    return Table(f"variance-{size:.0f}", title, caption, columns, rows, own[_DATA])


def _row(law: str, group: pd.DataFrame, counts: list[float]) -> list[Cell]:
    by_count = {row["directions"]: row for row in group.to_dict("records")}
    low, high = overall(group)
    agrees = low <= 1 <= high
    middle = Cell(
        numbers.three(math.sqrt(low * high)), numbers.interval(low, high), kind="number good" if agrees else
        "number unsure",
    )  # fmt: skip
    return [Cell(law), *(_cell(by_count.get(count)) for count in counts), middle]


def overall(group: pd.DataFrame) -> tuple[float, float]:
    """The 95 % interval of measured over formula, from all numbers of directions together.

    Each has its own seeds, so that the errors of the logarithms are independent and average.
    """
    use = group[(group["variance"] > 0) & (group["formula"] > 0) & (group["variance_low"] > 0)]
    if use.empty:
        return math.nan, math.nan
    ratio = np.log(use["variance"] / use["formula"])
    half = np.log(use["variance_high"] / use["variance_low"]) / 2
    weight = 1 / half**2
    middle, error = float((weight * ratio).sum() / weight.sum()), float(weight.sum() ** -0.5)
    return math.exp(middle - error), math.exp(middle + error)


def _cell(row: Mapping[Any, Any] | None) -> Cell:
    if row is None:
        return NOTHING
    below = numbers.interval(row["variance_low"], row["variance_high"])
    formula = f"formula {numbers.three(row['formula'])}"
    ratio = "" if row["formula"] == 0 else f", × {row['variance'] / row['formula']:.3f}"
    return Cell(
        numbers.three(row["variance"]), f"{below}\n{formula}{ratio}".strip(), row["case"], kind="number"
    )
