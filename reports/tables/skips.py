"""What has no number, and why: skips, failures, timeouts, and single quantities that failed."""

import pandas as pd

from reports import numbers
from reports.run import Run
from reports.table import Cell, Table

_CAPTION = (
    "Cases with the same method, place, status and reason share a line. A case is skipped before it runs "
    "(the method says that it can't, or a smaller size has timed out), fails by an exception, times out or "
    "runs out of memory."
)

LONGEST_REASON = 300
"""Characters of a reason on the page; the CSV file has all of it."""


def build(run: Run) -> list[Table]:
    """One table, or none where all is done."""
    missing = unfinished(run)
    if missing.empty:
        return []
    groups = missing.groupby(["variant", "place", "status", "reason", "problem", "quantity"], sort=False)
    columns = ["method", "problem", "where", "dtype", "sizes", "cases", "status", "reason"]
    rows = [_row(group) for _, group in groups]
    return [Table("skips", "Skips, failures and timeouts", _CAPTION, columns, rows, missing)]


def unfinished(run: Run) -> pd.DataFrame:
    """The cases, and the quantities of finished cases, whose status is not done."""
    columns = ["case", "variant", "family", "problem", "place", "dtype", "P", "status", "reason"]
    cases = run.cases.loc[run.cases["status"] != "done", columns].assign(quantity="all")
    records = run.records[(run.records["status"] != "done") & (run.records["quantity"] != "case")]
    named = records[["case", "quantity", "status", "reason"]].merge(
        run.cases.drop(columns=["status", "reason"]), on="case", how="inner"
    )
    found = pd.concat([cases, named.loc[~named["case"].isin(cases["case"]), [*columns, "quantity"]]])
    return found.assign(reason=found["reason"].fillna("no reason was recorded"))


def _row(group: pd.DataFrame) -> list[Cell]:
    first = group.iloc[0]
    low, high = group["P"].min(), group["P"].max()
    sizes = (
        numbers.count(low) if low == high or pd.isna(low) else f"{numbers.count(low)} – {numbers.count(high)}"
    )
    reason = (
        first["reason"] if len(first["reason"]) <= LONGEST_REASON else first["reason"][:LONGEST_REASON] + " …"
    )
    status = first["status"] if first["quantity"] == "all" else f"{first['quantity']}: {first['status']}"
    return [
        Cell(first["variant"], kind=f"family {first['family']}"),
        Cell(first["problem"]),
        Cell(first["place"]),
        Cell(", ".join(sorted(set(group["dtype"])))),
        Cell(sizes, kind="number"),
        Cell(str(len(group)), case=str(first["case"]), note="the first of them", kind="number"),
        Cell(status, kind="muted" if first["status"] == "skipped" else "bad"),
        Cell(reason),
    ]
