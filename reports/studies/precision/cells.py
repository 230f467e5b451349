"""How the numbers of this page are printed."""

from typing import Any

import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.studies.precision import formats
from reports.table import Cell

BY_CHANCE = 1e-3
"""Up to this fraction of entries may be zero because their terms cancel once they are rounded."""


def percent(value: float) -> str:
    """A fraction in per cent, to three digits, and never 0 or 100 where it is neither.

    >>> percent(0.5), percent(0.9999), percent(1e-6), percent(0.0)
    ('50\u202f%', '> 99.9\u202f%', '< 0.1\u202f%', '0\u202f%')
    """
    if pd.isna(value):
        return numbers.DASH
    if 0 < value < BY_CHANCE:
        return "< 0.1\u202f%"
    if 0.999 < value < 1:
        return "> 99.9\u202f%"
    return f"{100 * value:.3g}\u202f%"


def name(row: dict[Any, Any]) -> Cell:
    """The format, in the colour of its family."""
    below = "" if row["kind"] == "plain" else "float32 master copy"
    return Cell(row["format"], below, kind=f"family {row['family']}")


def error(row: dict[Any, Any] | None, value: float, note: str = "") -> Cell:
    """A relative error; marked where nothing of the gradient is left."""
    if row is None or pd.isna(value):
        return _without(row)
    return Cell(
        numbers.three(value),
        case=row["case"],
        note=note,
        kind=f"number {'bad' if value >= 1 else ''}".strip(),
    )


def lost(row: dict[Any, Any] | None) -> Cell:
    """The fraction of all entries of the gradient that became zero."""
    value = fraction(row)
    if row is None or value is None:
        return _without(row)
    kind = "number bad" if value > BY_CHANCE else "number"
    return Cell(percent(value), case=row["case"], kind=kind)


def fraction(row: dict[Any, Any] | None) -> float | None:
    """The same as a number."""
    value = None if row is None else (row["error_detail"] or {}).get("underflowed")
    return None if value is None or pd.isna(row["error"]) else float(value)  # type: ignore[index]


def state(row: dict[Any, Any]) -> Cell:
    """The loss scale that the next call is given, and how often the way back was repeated for it."""
    detail = row["passes_detail"] or {}
    after = detail.get("state") or {}
    if row["kind"] == "plain" or "scale" not in after:
        return NOTHING
    repeats = round(float(detail.get("pullback") or 1)) - 1
    below = [f"{repeats} repeated"] if repeats else []
    below += [f"{after['skipped']} skipped"] if after.get("skipped") else []
    text = formats.power(float(after["scale"]))
    return Cell(text, "\n".join(below), row["case"], str(after.get("reason") or ""), "number")


def _without(row: dict[Any, Any] | None) -> Cell:
    """A dash, or how the case ended: a call that overflowed has no gradient."""
    skipped = {} if row is None else (row["passes_detail"] or {}).get("state") or {}
    if row is not None and skipped.get("skipped"):
        return Cell("none", case=row["case"], note=str(skipped.get("reason") or ""), kind="number bad")
    if row is None or row["status"] == "done":
        return NOTHING if row is None else Cell(numbers.DASH, case=row["case"], kind="number muted")
    return Cell(str(row["status"]), case=row["case"], note=str(row["reason"] or ""), kind="number muted")
