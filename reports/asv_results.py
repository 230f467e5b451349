"""asv's result files (API version 2) as one tidy table, read with the standard library alone.

A file holds for each benchmark one row, positional against ``result_columns``; results are in the order of
the product of the parameters, whose values are stored as their repr. A cell that is NaN was skipped, one that
is null failed or was not selected; trailing columns may be missing.
"""

import ast
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradmark.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "machine", "commit", "date", "environment", "benchmark", "kind", "unit",
    "parameters", "value", "low", "high", "q25", "q75", "status",
)  # fmt: skip
"""`date` in milliseconds since 1970; `low`, `high` the 99 % interval where finite; `parameters` a dict."""

DEFAULT = Path(".asv") / "results"


def find(folder: Path | None) -> Path | None:
    """`folder`, or asv's default place below the working folder where that exists; None: no results.

    Raises `UsageError` where a `folder` was given that holds no results.
    """
    if folder is None:
        return DEFAULT if (DEFAULT / "benchmarks.json").is_file() else None
    if not (folder / "benchmarks.json").is_file():
        raise UsageError(f"`{folder}` has no benchmarks.json: give asv's results folder (.asv/results).")
    return folder


def read(folder: Path) -> "pd.DataFrame":
    """All results in `folder`, one row for each cell, with the columns `COLUMNS`.

    Results of benchmarks that are no longer there, or that had another version, are left out, as asv does.
    Raises `UsageError` for files that are not asv's.
    """
    import pandas as pd

    benchmarks = _json(folder / "benchmarks.json")
    rows: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*/*.json")):
        if file.name != "machine.json":
            rows += _rows(file, _json(file), benchmarks)
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"asv's file `{file}` cannot be read: {error}; remove it or run asv again."
        ) from error
    if not isinstance(content, dict):
        raise UsageError(f"`{file}` is not a file that asv wrote: it holds no object; remove it.")
    return content


def _rows(file: Path, content: dict[str, Any], benchmarks: dict[str, Any]) -> Iterator[dict[str, Any]]:
    columns: list[str] = content.get("result_columns", [])
    about = {
        "machine": content.get("params", {}).get("machine", file.parent.name),
        "commit": content.get("commit_hash"),
        "date": content.get("date"),
        "environment": content.get("env_name"),
    }
    for name, row in content.get("results", {}).items():
        benchmark = benchmarks.get(name)
        result = dict(zip(columns, row, strict=False))
        if benchmark and _same_version(result.get("version"), benchmark.get("version")):
            about_benchmark = {
                "benchmark": name,
                "kind": benchmark.get("type"),
                "unit": benchmark.get("unit"),
            }
            for cell in _cells(result, benchmark.get("param_names", [])):
                yield about | about_benchmark | cell


def _same_version(stored: Any, current: Any) -> bool:
    return stored is None or current is None or str(stored) == str(current)


def _cells(result: dict[str, Any], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    grid = list(itertools.product(*(result.get("params") or [])))
    values = _column(result, "result", len(grid))
    parts = {
        short: _column(result, column, len(grid))
        for short, column in (
            ("low", "stats_ci_99_a"), ("high", "stats_ci_99_b"), ("q25", "stats_q_25"), ("q75", "stats_q_75"),
        )
    }  # fmt: skip
    for index, (point, value) in enumerate(zip(grid, values, strict=True)):
        yield {
            "parameters": dict(zip(names, map(_value, point), strict=False)),
            "value": _finite_or_infinite(value),
            "status": "failed" if value is None else "skipped" if _is_nan(value) else "done",
            **{short: _finite(column[index]) for short, column in parts.items()},
        }


def _column(result: dict[str, Any], name: str, length: int) -> list[Any]:
    """A column's cells; one None for each where the whole row failed or the column was cut."""
    column = result.get(name)
    cells = list(column) if isinstance(column, list) else []
    return cells[:length] + [None] * (length - len(cells))


def _value(text: str) -> Any:
    """A parameter from its repr; the text itself where it is no literal."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _finite_or_infinite(value: Any) -> float | None:
    """A number; infinity, by which the suite says that a method diverged, stays."""
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else None
