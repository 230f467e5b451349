"""Cost laws from asv results, fitted as those of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gradmark.measuring.scaling import PowerLaw
from reports.laws import fitted, slope

SIZE = "size"
"""The parameter of the suite over which costs grow."""


@dataclass(frozen=True)
class AsvLaw:
    """A benchmark on one machine with all `parameters` but the size held: its law (times) or its slope."""

    machine: str
    benchmark: str
    parameters: dict[str, Any]
    sizes: list[float]
    law: PowerLaw | None
    exponent: float | None
    low: float | None
    high: float | None
    reason: str


def held(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without the size."""
    return {name: value for name, value in parameters.items() if name != SIZE}


def newest(results: pd.DataFrame) -> pd.DataFrame:
    """The results of each machine's latest run of each benchmark."""
    if results.empty:
        return results
    latest = results.groupby(["machine", "benchmark"])["date"].transform("max")
    return results[results["date"] == latest]


def laws(results: pd.DataFrame) -> list[AsvLaw]:
    """A law for each series over `SIZE` of at least two finished cells in the newest results."""
    done = newest(results)
    if done.empty:
        return []
    finite = (done["value"] > 0) & (done["value"] < float("inf"))
    sized = [isinstance(p.get(SIZE), int | float) and bool(p[SIZE] > 0) for p in done["parameters"]]
    done = done[(done["status"] == "done") & finite & pd.Series(sized, done.index, dtype=bool)]
    rest = pd.Series([repr(held(p)) for p in done["parameters"]], done.index, dtype=str)
    groups = done.groupby(["machine", "benchmark", rest], sort=False)
    return [_law(group) for _, group in groups if len(group) > 1]


def _law(group: pd.DataFrame) -> AsvLaw:
    first = group.iloc[0]
    pairs = sorted(
        (float(p[SIZE]), value) for p, value in zip(group["parameters"], group["value"], strict=True)
    )
    sizes, values = [size for size, _ in pairs], [value for _, value in pairs]
    machine, benchmark, parameters = str(first["machine"]), str(first["benchmark"]), held(first["parameters"])
    if first["kind"] == "time":
        law, reason = fitted(sizes, values)
        if law is None:
            return AsvLaw(machine, benchmark, parameters, sizes, None, None, None, None, reason)
        return AsvLaw(machine, benchmark, parameters, sizes, law, law.exponent, law.low, law.high, "")
    if len(set(sizes)) < 3:
        reason = f"{len(sizes)} sizes; a slope with an interval needs 3"
        return AsvLaw(machine, benchmark, parameters, sizes, None, None, None, None, reason)
    exponent, low, high = slope(sizes, values)
    return AsvLaw(machine, benchmark, parameters, sizes, None, exponent, low, high, "")
