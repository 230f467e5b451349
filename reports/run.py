"""A run as reports see it: one row for each case, with its quantities as columns."""

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from gradmark.run.frame import read_frame
from gradmark.run.records import PLAIN_FORWARD
from gradmark.run.records import QUANTITIES as GROUPS
from reports import grouping
from reports.laws import Law, Slope, time_laws, work_slopes
from reports.studies import NAMES
from reports.theory import epsilon

QUANTITIES = tuple(name for group in GROUPS.values() for name in group)


@dataclass(frozen=True)
class Run:
    """What a report is made of.

    `cases` has a row for each case of a method: the fields of its key, its claims, `status` and `reason`, for
    each quantity the columns ``q``, ``q_low``, ``q_high`` and ``q_detail`` (missing: NaN, {}), and the
    columns of `reports.grouping`; all are of one quantity, the gradient where it was measured. `denominators`
    has the same for the plain forward passes. `records` is the long table of `gradmark.run.frame`, of all
    quantities, `environment` the content of ``environment.json``, `asv` a table of `reports.asv_results`
    (empty where there are none).
    """

    folder: Path
    records: pd.DataFrame
    cases: pd.DataFrame
    denominators: pd.DataFrame
    environment: dict[str, Any]
    asv: pd.DataFrame = field(default_factory=pd.DataFrame)
    of_studies: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The records of studies that have a page of their own (`reports.studies.NAMES`)."""

    @cached_property
    def main(self) -> pd.DataFrame:
        """The cases of the methods as one would use them, without those that only belong to a sweep."""
        return self.cases[self.cases["main"].astype(bool)]

    @cached_property
    def laws(self) -> list[Law]:
        """The laws of time of the main cases."""
        return time_laws(self.main)

    @cached_property
    def slopes(self) -> list[Slope]:
        """The growth of the main cases' counted evaluations."""
        return work_slopes(self.main)


def read(folder: Path, asv: pd.DataFrame | None = None) -> Run:
    """Read the run in `folder`. Raises `UsageError` where it is not a run folder."""
    records, environment = read_frame(folder)
    own_page = records["study"].isin(NAMES)
    main = _of_records(folder, records[~own_page], environment)
    return replace(main, of_studies=records[own_page], asv=pd.DataFrame() if asv is None else asv)


def of_study(run: Run, name: str) -> Run | None:
    """The part of `run` that the study `name` has a page about; None where it has no records."""
    if run.of_studies.empty:
        return None
    records = run.of_studies[run.of_studies["study"] == name]
    return None if records.empty else _of_records(run.folder, records, run.environment)


def _of_records(folder: Path, records: pd.DataFrame, environment: dict[str, Any]) -> Run:
    wide = _of_one_want(_wide(records))
    plain = wide["method"] == PLAIN_FORWARD
    cases = _drawable(grouping.grouped(wide[~plain].reset_index(drop=True)))
    denominators = _sized(wide[plain].reset_index(drop=True), cases)
    return Run(folder, records, cases, denominators, environment)


def _of_one_want(wide: pd.DataFrame) -> pd.DataFrame:
    """The cases of the gradient, or, where none was measured, of the quantity with most cases.

    No table or figure sets the cost of a gradient beside that of a Jacobian.
    """
    methods = wide["want"][wide["method"] != PLAIN_FORWARD].dropna()
    wants = methods.value_counts()
    if len(wants) < 2:
        return wide
    chosen = "gradient" if "gradient" in wants.index else wants.index[0]
    return wide[wide["want"] == chosen].reset_index(drop=True)


def _wide(records: pd.DataFrame) -> pd.DataFrame:
    """One row for each case."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records.to_dict("records"):
        groups.setdefault(record["case"], []).append({str(name): value for name, value in record.items()})
    rows = [_case_row(group) for group in groups.values()]
    columns = [name for name in records.columns if name not in ("quantity", "value", "low", "high", "unit")]
    numbers = [f"{quantity}{end}" for quantity in QUANTITIES for end in ("", "_low", "_high")]
    columns += [*numbers, *(f"{quantity}_detail" for quantity in QUANTITIES)]
    wide = pd.DataFrame(rows, columns=pd.Index(columns))
    for name in [
        *numbers,
        "P",
        "rows",
        "depth",
        "order",
        "samples",
        "predicted_cosine",
        "declared_evaluations",
    ]:
        wide[name] = pd.to_numeric(wide[name], errors="coerce").astype(float)
    for name in ("black_box", "stochastic"):
        wide[name] = wide[name].eq(True)
    return wide


def _case_row(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The case's own record (done, if any study finished it), and the quantities of all its studies."""
    of_case = sorted((r for r in records if r["quantity"] == "case"), key=lambda r: r["status"] != "done")
    row = dict((of_case or records)[0])
    if not of_case and row["method"] != PLAIN_FORWARD:
        # Its P was never recorded, so that its numbers can't be placed; the next run measures it again.
        row |= {"status": "interrupted", "reason": "the run ended before this case did", "detail": {}}
        records = []
    row |= {f"{name}_detail": {} for name in QUANTITIES}
    measured = [r for r in records if r["quantity"] in QUANTITIES and pd.notna(r["value"])]
    for record in sorted(measured, key=_repetitions):
        name = record["quantity"]
        row |= {name: record["value"], f"{name}_low": record["low"], f"{name}_high": record["high"]}
        row[f"{name}_detail"] = record["detail"]
    return row


def _repetitions(record: dict[str, Any]) -> int:
    """Of a quantity measured by several studies, the one with most repetitions counts."""
    return int(record["detail"].get("repetitions") or 0)


def _drawable(cases: pd.DataFrame) -> pd.DataFrame:
    """With ``error_drawn``: on log axes an error of zero stands at an eighth of its dtype's unit."""
    floor = pd.Series([(epsilon(dtype) or 0.0) / 8 for dtype in cases["dtype"]], cases.index, float)
    for end in ("", "_low", "_high"):
        cases[f"error_drawn{end}"] = cases[f"error{end}"].clip(lower=floor)
    return cases


def _sized(denominators: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """With the place, and the scene and number of parameters, which the methods beside them know."""
    known = {_problem(row["key"]): (row["P"], row["scene"]) for row in cases.to_dict("records")}
    found = [known.get(_problem(key), (None, None)) for key in denominators["key"]]
    return denominators.assign(
        P=pd.Series([size for size, _ in found], dtype=float),
        scene=pd.Series([scene for _, scene in found], dtype=object),
        place=grouping.places(denominators),
    )


def _problem(key: str) -> str:
    parts = json.loads(key)
    return json.dumps([parts["problem"], parts.get("sizes")], sort_keys=True)
