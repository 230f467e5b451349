"""How the page sees a case: its number format, the float32 copy behind it, and its loss scale."""

import json
import math
from typing import Any

import pandas as pd

from reports.grouping import short_name
from reports.style import OTHER, Look

PRECISIONS = ("float64", "float32", "bfloat16", "float16")
MIXED = {"mixed_precision_backprop": "mixed", "torch_autocast": "autocast"}
"""The methods that keep float32 beside a 16-bit format, by what they are called on the page."""
PLAIN = "backprop"

_COLOURS = {
    "float64": ("#555555", "#999999"),
    "float32": ("#0072B2", "#56B4E9"),
    "bfloat16": ("#009E73", "#66C2A5", "#004D38"),
    "float16": ("#D55E00", "#E69F00", "#CC79A7", "#CC3366", "#882255", "#7A4A1E"),
}
"""Shades of one colour for each format, after Okabe and Ito (2008); warm ones for float16, which has most."""
_MARKERS = "osD^vPX*<>"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def of_run(cases: pd.DataFrame) -> pd.DataFrame:
    """`cases` with the columns

    ``precision`` (the narrowest format), ``kind`` (plain, mixed or autocast), ``scaling`` (none, static,
    dynamic), ``start`` (the first loss scale, 1 for none) and ``format`` (all of that in words), in the order
    of the page: plain ones first, from wide to narrow.
    """
    told = [_told(row) for row in cases.to_dict("records")]
    names = ("precision", "kind", "scaling", "start", "format")
    found = cases.assign(**{name: [each[name] for each in told] for name in names})
    place = found["kind"].map({"plain": 0, "mixed": 1, "autocast": 2}).fillna(3)
    width = found["precision"].map({name: index for index, name in enumerate(PRECISIONS)}).fillna(9)
    narrow = width.where(found["kind"] == "plain", -width)
    found = found.assign(_kind=place, _width=narrow)
    order = ["_kind", "_width", "start", "format"]
    return found.sort_values(order, kind="stable").drop(columns=["_kind", "_width"]).reset_index(drop=True)


def _told(row: dict[Any, Any]) -> dict[str, Any]:
    hyper = json.loads(row["key"]).get("hyper") or {}
    kind = MIXED.get(row["method"])
    if kind is None:
        name = row["dtype"] if row["method"] == PLAIN else f"{short_name(row['method'])} {row['dtype']}"
        return {
            "precision": row["dtype"], "kind": "plain", "scaling": "none", "start": 1.0, "format": name,
        }  # fmt: skip
    precision, scaling = str(hyper.get("precision")), str(hyper.get("loss_scale"))
    start = 1.0 if scaling == "none" else float(hyper.get("scale") or math.nan)
    words = {"none": "no scale", "static": f"scale {power(start)}", "dynamic": f"scale from {power(start)}"}
    name = f"{kind} {precision}, {words.get(scaling, scaling)}"
    return {"precision": precision, "kind": kind, "scaling": scaling, "start": start, "format": name}


def power(scale: float) -> str:
    """A power of two as one, anything else as it is.

    >>> power(65536.0), power(3.0)
    ('2¹⁶', '3')
    """
    if not scale > 0 or not math.isfinite(scale):
        return "unknown"
    mantissa, exponent = math.frexp(scale)
    return f"2{str(exponent - 1).translate(_SUPERSCRIPT)}" if mantissa == 0.5 else f"{scale:g}"


def looks(found: pd.DataFrame) -> dict[str, Look]:
    """A look for each ``format``: a shade of its precision's colour, and a marker of its own."""
    seen: dict[str, int] = {}
    result = {}
    for index, row in enumerate(found.drop_duplicates("format").to_dict("records")):
        shades = _COLOURS.get(row["precision"], (OTHER,))
        rank = seen[row["precision"]] = seen.get(row["precision"], -1) + 1
        result[row["format"]] = Look(shades[rank % len(shades)], _MARKERS[index % len(_MARKERS)])
    return result
