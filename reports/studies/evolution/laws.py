"""Scale, cosine and shrunk error on the linear loss beside their laws, with one decision over all cells."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from gradmark.measuring.holm import holm
from reports import numbers
from reports.table import Cell, Table

LEVEL, MARGIN = 0.01, 0.01
"""Of all cells together, the chance that any is said to differ from its law; and what counts as equal."""
_CAPTION = (
    "A linear loss, on which the laws are exact. Scale: the mean of <ĝ, g> / |g|², 1 for an unbiased "
    "estimate. Variance: the mean of |ĝ - g|² / |g|² over v/M, v as the method claims: (P + 1) Gaussian, "
    "(P - 1) signs and sphere, (n - M)(P - 1)/(n - 1) Hadamard, P - M orthogonal and least squares. "
    "Shrunk: the error of the estimate times M/(M + v), the best factor, over sqrt(v/(M + v)). Cosine "
    "beside sqrt(M/(M + v)), its limit for large P. Below: 95 % intervals over {seeds} seeds. A verdict of "
    "Holm's test over all scales and variances at {level:.0%} together: differs, agrees (no difference "
    "found), or equal (the interval lies within {margin:.0%})."
)
_DATA = [
    "case", "who", "pairs", "P", "seeds", "scale", "scale_low", "scale_high", "variance", "variance_low",
    "variance_high", "variance_law", "cosine", "cosine_law", "shrunk", "shrunk_law",
]  # fmt: skip


def build(found: pd.DataFrame) -> list[Table]:
    """One table with a row for each method and number of pairs; none where nothing was measured."""
    if found.empty:
        return []
    judged = with_verdicts(found)
    columns = [
        "method",
        "pairs M",
        "scale",
        "variance / law",
        "cosine|measured",
        "cosine|law",
        "shrunk / law",
        "verdict",
    ]
    rows = [_row(row) for row in judged.to_dict("records")]
    seeds = f"{found['seeds'].min():.0f}"
    caption = _CAPTION.format(seeds=seeds, level=LEVEL, margin=MARGIN)
    title = f"Laws on a linear loss of {numbers.count(found['P'].iloc[0])} parameters"
    return [Table("evolution-laws", title, caption, columns, rows, judged[[*_DATA, "verdict"]])]


def with_verdicts(found: pd.DataFrame) -> pd.DataFrame:
    """`found` with a column ``verdict``: "differs", "agrees" or "equal"; "no law" where none is claimed."""
    judged = found.copy()
    tests: list[tuple[Any, float]] = []
    for index, row in judged.iterrows():
        for value, low, high, law in _compared(row):
            tests.append((index, p_value(value, low, high, law)))
    adjusted = holm([p for _, p in tests])
    differing = {index for (index, _), p in zip(tests, adjusted, strict=True) if p <= LEVEL}
    judged["verdict"] = [
        "differs" if index in differing else _within(row) for index, row in judged.iterrows()
    ]
    return judged


def _compared(row: Any) -> list[tuple[float, float, float, float]]:
    """Value, interval and law of the scale, and of the variance where one is claimed and not zero."""
    compared = [(row["scale"], row["scale_low"], row["scale_high"], 1.0)]
    law = row["variance_law"]
    if math.isfinite(law) and law > 0:
        compared.append((row["variance"] / law, row["variance_low"] / law, row["variance_high"] / law, 1.0))
    return [each for each in compared if all(map(math.isfinite, each)) and each[2] > each[1]]


def p_value(value: float, low: float, high: float, law: float) -> float:
    """Two-sided, of a mean with the 95 % interval `low` to `high` whose law says `law`."""
    from scipy.stats import norm

    half = (high - value) if law > value else (value - low)
    return float(2 * norm.sf(abs(value - law) / (half / norm.ppf(0.975))))


def _within(row: Any) -> str:
    compared = _compared(row)
    if not compared:
        return "no law"
    apart = max(max(abs(low - law), abs(high - law)) for _, low, high, law in compared)
    return "equal" if apart <= MARGIN else "agrees"


def _row(row: Mapping[Any, Any]) -> list[Cell]:
    law, shrunk = row["variance_law"], row["shrunk_law"]
    return [
        Cell(row["who"]),
        Cell(f"{row['pairs']:.0f}", kind="number"),
        _cell(row, "scale", 1.0),
        _cell(row, "variance", law),
        _cell(row, "cosine", 1.0),
        Cell(numbers.three(row["cosine_law"]) if math.isfinite(row["cosine_law"]) else "", kind="number"),
        Cell(f"{row['shrunk'] / shrunk:.3f}" if shrunk > 0 else "", case=row["case"], kind="number"),
        Cell(row["verdict"], kind="bad" if row["verdict"] == "differs" else ""),
    ]


def _cell(row: Mapping[Any, Any], quantity: str, law: float) -> Cell:
    value = row[quantity]
    if not math.isfinite(law):
        bracket = numbers.interval(row[f"{quantity}_low"], row[f"{quantity}_high"])
        return Cell(numbers.three(value), f"{bracket}\nno law".strip(), row["case"], kind="number")
    if law == 0:
        return Cell(numbers.three(value), "law 0", row["case"], kind="number")
    low, high = row[f"{quantity}_low"] / law, row[f"{quantity}_high"] / law
    bracket = f"[{low:.3f}, {high:.3f}]" if math.isfinite(low) else ""
    return Cell(f"{value / law:.3f}", bracket, row["case"], kind="number")
