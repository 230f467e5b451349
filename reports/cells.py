"""How a case's quantities are printed: each as a cell with its interval, its claim and a link to the case."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from gradmark.measuring.exponent import Agreement
from reports import numbers
from reports.laws import Law, Slope
from reports.table import Cell

NOTHING = Cell(numbers.DASH, kind="number muted")
"""For what was not asked."""


def measured(row: Mapping[Any, Any], quantity: str, note: str = "") -> Cell:
    """The number `quantity` of a case with its interval below; a dash where it was not measured."""
    value = row[quantity]
    if pd.isna(value):
        return Cell(numbers.DASH, case=row["case"], kind="number muted")
    bracket = numbers.interval(row[f"{quantity}_low"], row[f"{quantity}_high"])
    return Cell(numbers.three(value), bracket, row["case"], note, "number")


def failed(row: Mapping[Any, Any]) -> Cell:
    """The status of a case that has no number, with its reason as a note."""
    return Cell(str(row["status"]), case=row["case"], note=str(row["reason"] or ""), kind="number muted")


def method(first: pd.Series) -> Cell:
    """The method, and below how it looks at a problem, with all that it reads as a note."""
    reads = [str(name) for name in (first["detail"] or {}).get("reads") or []]
    note = f"reads {', '.join(reads)}" if reads else ""
    access = "black box" if first["black_box"] else access_of(reads)
    return Cell(first["variant"], access, note=note, kind=f"family {first['family']}")


def access_of(reads: Iterable[str]) -> str:
    """How a method that reads more than the loss looks at a problem: by its layers, or by a recorded graph.

    >>> access_of(["loss", "torch graph"]), access_of(["layers", "loss"])
    ('traced', 'structured')
    """
    more = set(reads) - {"loss"}
    return "traced" if more and all(name.endswith((" graph", " trace")) for name in more) else "structured"


def cost(row: dict[Any, Any] | None) -> Cell:
    """Forward passes that a gradient takes; the status where the case has none."""
    if row is None:
        return NOTHING
    note = f"{numbers.si(row['time'], 's')} a gradient"
    return measured(row, "ratio", note) if pd.notna(row["ratio"]) or row["status"] == "done" else failed(row)


def slope(fit: Slope | None) -> Cell:
    """The growth of the counted evaluations."""
    if fit is None:
        return NOTHING
    text, case = numbers.exponent(fit.exponent, fit.low, fit.high), str(fit.series.last["case"])
    return _exponent(text, fit.claimed, fit.verdict, case, f"{len(fit.series.cases)} sizes")


def law(fit: Law | None) -> Cell:
    """The growth of the time."""
    if fit is None:
        return NOTHING
    case = str(fit.series.last["case"])
    if fit.law is None:
        return _exponent(numbers.DASH, fit.claimed, fit.verdict, case, fit.reason)
    note = f"a = {numbers.overhead(fit.law.overhead)}; naive slope {fit.law.naive_slope:.2f}"
    text = numbers.exponent(fit.law.exponent, fit.law.low, fit.law.high)
    return _exponent(text, fit.claimed, fit.verdict, case, note)


def _exponent(text: str, claim: float | None, verdict: Agreement, case: str, note: str) -> Cell:
    """The exponent, and below it the claim and whether they agree."""
    kind = {"agrees": "good", "disagrees": "bad"}.get(verdict, "unsure")
    below = "no claim" if claim is None else f"theory {claim:g}: {verdict}"
    value, _, bracket = text.partition(" ")
    return Cell(value, f"{bracket}\n{below}".strip(), case, note, f"number {kind}")


def evaluations(row: dict[Any, Any] | None) -> Cell:
    """As counted, and below as claimed; marked where they differ."""
    if row is None or pd.isna(row["evaluations"]):
        return NOTHING
    counted, claimed = row["evaluations"], row["declared_evaluations"]
    agrees = pd.isna(claimed) or counted == claimed
    sub = "none claimed" if pd.isna(claimed) else f"claimed {numbers.count(claimed)}"
    declared = "declared by the compiled method" if row["passes_detail"].get("declared") else "counted"
    return Cell(numbers.count(counted), sub, row["case"], declared, "number" if agrees else "number bad")


def memory(row: dict[Any, Any] | None) -> Cell:
    """Peak bytes; a bound where it is less than the measurement resolves."""
    if row is None or pd.isna(row["peak_bytes"]):
        return NOTHING
    resolution = row["peak_bytes_detail"].get("resolution")
    note = f"resolution {numbers.si(resolution, 'B')}" if resolution else ""
    if resolution and row["peak_bytes"] < resolution:
        return Cell(f"< {numbers.si(resolution, 'B')}", case=row["case"], note=note, kind="number")
    return Cell(numbers.si(row["peak_bytes"], "B"), case=row["case"], note=note, kind="number")


def digits(row: dict[Any, Any] | None) -> Cell:
    """Correct decimal digits, with the reference that says so as a note."""
    if row is None:
        return NOTHING
    if pd.isna(row["digits"]) and row["status"] != "done":
        return failed(row)
    detail = row["error_detail"]
    vouched = f", vouched by {', '.join(detail['vouched_by'])}" if detail.get("vouched_by") else ""
    reference = f"{detail.get('reference', 'unknown')}{vouched}"
    note = f"relative error {numbers.three(row['error'])}; reference {reference}"
    text = numbers.DASH if pd.isna(row["digits"]) else f"{row['digits']:.1f}"
    return Cell(text, case=row["case"], note=note, kind="number")


def cosine(own: pd.DataFrame, reference: float, dtype: str) -> Cell:
    """For stochastic methods only: of the others the digits say it better."""
    here = own[(own["P"] == reference) & (own["dtype"] == dtype) & own["cosine"].notna()]
    if here.empty or not here["stochastic"].iloc[0]:
        return NOTHING
    row = here.iloc[0].to_dict()
    cell = measured(row, "cosine")
    claim = row["predicted_cosine"]
    return cell if pd.isna(claim) else replace(cell, sub=f"{cell.sub}\ntheory {numbers.three(claim)}".strip())
