"""All fitted laws of time, beside what the methods claim."""

import pandas as pd

from reports import numbers
from reports.laws import Law
from reports.run import Run
from reports.table import Cell, Table

_CAPTION = (
    "Time of a gradient t = a + b P^k, fitted to each series of at least four sizes; the interval of k is 95 "
    "%. The naive slope is that of log t over log P, for contrast. Verdict: disagrees where the interval "
    "lies wholly outside the claim ± 0.1 (caches and kernels bend a law by some hundredths), can't tell "
    "where it is wider than one."
)


def build(run: Run) -> list[Table]:
    """One table, or none."""
    fits = run.laws
    if not fits:
        return []
    columns = [
        "problem",
        "method",
        "where",
        "dtype",
        "sizes",
        "overhead a",
        "exponent k",
        "claimed",
        "verdict",
        "naive slope",
    ]
    return [Table("laws", "Laws of time", _CAPTION, columns, [_row(fit) for fit in fits], _data(fits))]


def _row(fit: Law) -> list[Cell]:
    one, law, case = fit.series, fit.law, str(fit.series.last["case"])
    sizes = f"{numbers.count(one.cases['P'].min())} – {numbers.count(one.cases['P'].max())}"
    kind = {"agrees": "good", "disagrees": "bad"}.get(fit.verdict, "unsure")
    names = [
        Cell(one.scene),
        Cell(one.variant, kind=f"family {one.last['family']}"),
        Cell(one.place),
        Cell(one.dtype),
    ]
    claim = Cell(numbers.DASH if fit.claimed is None else f"{fit.claimed:g}", kind="number")
    verdict = Cell(fit.verdict, note=fit.reason, kind=kind)
    span = Cell(f"{len(one.cases)}", sizes, kind="number")
    if law is None:
        dash = Cell(numbers.DASH, note=fit.reason, kind="number muted")
        return [*names, span, dash, dash, claim, verdict, dash]
    exponent = Cell(numbers.exponent(law.exponent, law.low, law.high), case=case, kind="number")
    overhead = Cell(numbers.si(law.overhead, "s"), case=case, kind="number")
    return [
        *names,
        span,
        overhead,
        exponent,
        claim,
        verdict,
        Cell(f"{law.naive_slope:.2f}", case=case, kind="number"),
    ]


def _data(fits: list[Law]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scene": fit.series.scene,
            "variant": fit.series.variant,
            "place": fit.series.place,
            "dtype": fit.series.dtype,
            "sizes": len(fit.series.cases),
            "overhead_s": fit.law.overhead if fit.law else None,
            "factor": fit.law.factor if fit.law else None,
            "exponent": fit.law.exponent if fit.law else None,
            "low": fit.law.low if fit.law else None,
            "high": fit.law.high if fit.law else None,
            "naive_slope": fit.law.naive_slope if fit.law else None,
            "claimed": fit.claimed,
            "verdict": fit.verdict,
            "reason": fit.reason,
            "cases": " ".join(fit.series.cases["case"]),
        }
        for fit in fits
    )
