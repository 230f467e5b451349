"""Which cases belong to one network of several depths, to the law of zeros, and to the table of costs."""

import json
from typing import Any

import pandas as pd

from reports.grouping import short_name
from reports.run import Run
from reports.studies.precision import formats
from reports.style import Look

MOST = 2
"""Networks that are drawn: the ones with most depths."""
_SHOWN = ("width", "batch")


def of_run(run: Run) -> pd.DataFrame:
    """The cases with their formats, ``hidden`` (affine layers but the last) and ``network`` in words."""
    found = formats.of_run(run.cases)
    return found.assign(hidden=found["depth"] - 1, network=[_words(row) for row in found.to_dict("records")])


def _words(row: dict[Any, Any]) -> str:
    """The network without its depth."""
    sizes = json.loads(row["key"]).get("sizes") or {}
    said = [str(sizes["activation"])] if "activation" in sizes else []
    if "widths" in sizes:
        said.append("-".join(map(str, sizes["widths"])))
    said += [f"{name} {sizes[name]}" for name in _SHOWN if name in sizes]
    return f"{short_name(row['problem'])} ({', '.join(said)})" if said else short_name(row["problem"])


def deep(cases: pd.DataFrame) -> list[pd.DataFrame]:
    """The networks with errors by layer, that with most depths first; without those of the law.

    A case that skipped its call, because the gradient overflowed, is among them though it has no error.
    """
    known = [bool((d or {}).get("arrays")) for d in cases["error_detail"]]
    skipped = [bool(((d or {}).get("state") or {}).get("skipped")) for d in cases["passes_detail"]]
    known = [one or other for one, other in zip(known, skipped, strict=True)]
    law = set(of_law(cases)["case"])
    cases = cases[pd.Series(known, cases.index, bool) & ~cases["case"].isin(law) & (cases["hidden"] >= 2)]
    groups = [group for _, group in cases.groupby(["network", "place"], sort=False)]
    several = [group for group in groups if group["hidden"].nunique() > 1]
    chosen = several or [group for group in groups if group["time"].isna().all()] or groups
    return sorted(chosen, key=lambda group: (-group["hidden"].nunique(), -len(group)))[:MOST]


def deepest(network: pd.DataFrame) -> pd.DataFrame:
    """Its cases at the largest depth that most formats reached."""
    count = network.groupby("hidden")["format"].nunique()
    last = float(count.index[count == count.max()].max())
    return network[network["hidden"] == last]


def looks(cases: pd.DataFrame) -> dict[str, Look]:
    """The look of each format that is drawn by depth or layer: not the many scales of the law."""
    return formats.looks(cases[cases["error"].notna() & ~cases["case"].isin(of_law(cases)["case"])])


def of_law(cases: pd.DataFrame) -> pd.DataFrame:
    """Mixed cases of one row at known scales: there the gradient of a bias is the delta of its layer."""
    fixed = (cases["kind"] == "mixed") & cases["scaling"].isin(["none", "static"])
    return cases[fixed & (cases["rows"] == 1) & (cases["precision"] == "float16")]


def costed(cases: pd.DataFrame) -> list[pd.DataFrame]:
    """The cases with time or memory, network by network, the one with most cases first."""
    known = cases[cases["time"].notna() | cases["peak_bytes"].notna()]
    return sorted(
        (group for _, group in known.groupby(["network", "place"], sort=False)), key=len, reverse=True
    )


def one(cases: pd.DataFrame, **wanted: Any) -> dict[Any, Any] | None:
    """The first case with these values, if there is one."""
    for name, value in wanted.items():
        cases = cases[cases[name] == value]
    return None if cases.empty else cases.iloc[0].to_dict()
