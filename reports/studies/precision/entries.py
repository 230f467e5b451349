"""The errors of gradients array by array, as a table with a row for each array of each case."""

from typing import Any

import pandas as pd

from reports.theory import epsilon

_KEPT = ("case", "format", "precision", "kind", "scaling", "start", "network", "dtype", "hidden")
_NUMBERS = ("relative", "absolute", "underflowed", "root_mean_square")


def of_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """The arrays of `cases`, with ``array``, ``layer`` (of affine layers, from 1), ``part`` and their errors.

    ``part`` is weight, bias, or what else the array is called. ``relative_drawn`` is the relative error as it
    stands on log axes: zero at an eighth of the format's unit.
    """
    rows = [entry for case in cases.to_dict("records") for entry in _of_case(case)]
    columns = [*_KEPT, "array", "layer", "part", *_NUMBERS]
    found = pd.DataFrame(rows, columns=pd.Index(columns))
    for name in _NUMBERS:
        found[name] = pd.to_numeric(found[name], errors="coerce").astype(float)
    floor = pd.Series([(epsilon(name) or 0.0) / 8 for name in found["precision"]], found.index, float)
    return found.assign(relative_drawn=found["relative"].clip(lower=floor))


def _of_case(case: dict[Any, Any]) -> list[dict[str, Any]]:
    """One row for each array, in the order of the layers; numbers that are none come as words."""
    detail = case["error_detail"] or {}
    layer, rows = 0, []
    for name, errors in (detail.get("arrays") or {}).items():
        part = str(name).rpartition(".")[2]
        layer += part == "weight"
        numbers = {quantity: errors.get(quantity) for quantity in _NUMBERS}
        rows.append(
            {kept: case[kept] for kept in _KEPT}
            | {"array": name, "layer": max(layer, 1), "part": part, **numbers}
        )
    return rows


def weights(entries: pd.DataFrame) -> pd.DataFrame:
    """The matrices alone: of each layer the part with most entries."""
    return entries[entries["part"] == "weight"]


def lost_layers(entries: pd.DataFrame) -> int:
    """How many of a case's matrices are zero wherever the reference is not."""
    return int((weights(entries)["underflowed"] == 1).sum())
