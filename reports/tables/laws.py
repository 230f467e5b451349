"""All fitted laws of growth, beside what the methods claim."""

import pandas as pd

from reports import cells, numbers
from reports.laws import Law, Slope
from reports.run import Run
from reports.series import Series
from reports.table import Cell, Table

_CAPTION = (
    "Time: t = a + b P^k, fitted to each series of at least four sizes; the naive slope is that of log t "
    "over log P, for contrast. Evaluations: the slope of their counted number on log axes. Intervals are 95 "
    "%. An exponent disagrees where its interval lies wholly outside the claim ± 0.1 (caches and kernels "
    "bend a law by some hundredths), and can't tell where the interval is wider than one."
)
_COLUMNS = ["problem", "method", "where", "dtype", "sizes", "evaluations grow as P^k", "time grows as P^k"]
_COLUMNS += ["overhead a", "naive slope"]


def build(run: Run) -> list[Table]:
    """One table, or none."""
    if not run.laws:
        return []
    slopes = {_place(fit.series): fit for fit in run.slopes}
    pairs = [(fit, slopes.get(_place(fit.series))) for fit in run.laws]
    rows = [_row(law, slope) for law, slope in pairs]
    data = pd.DataFrame([_line(law, slope) for law, slope in pairs])
    return [Table("laws", "Laws of growth", _CAPTION, _COLUMNS, rows, data)]


def _place(one: Series) -> tuple[str, str, str, str]:
    return one.scene, one.variant, one.place, one.dtype


def _row(fit: Law, slope: Slope | None) -> list[Cell]:
    one, law, case = fit.series, fit.law, str(fit.series.last["case"])
    sizes = f"{numbers.count(one.cases['P'].min())} – {numbers.count(one.cases['P'].max())}"
    names = [Cell(one.scene), Cell(one.variant, kind=f"family {one.last['family']}")]
    names += [Cell(one.place), Cell(one.dtype), Cell(f"{len(one.cases)}", sizes, kind="number")]
    overhead = numbers.overhead(law.overhead) if law else numbers.DASH
    naive = f"{law.naive_slope:.2f}" if law else numbers.DASH
    rest = [
        Cell(text, case=case if law else "", note=fit.reason, kind="number") for text in (overhead, naive)
    ]
    return [*names, cells.slope(slope), cells.law(fit), *rest]


def _line(fit: Law, slope: Slope | None) -> dict[str, object]:
    one, law = fit.series, fit.law
    return {
        "scene": one.scene,
        "variant": one.variant,
        "place": one.place,
        "dtype": one.dtype,
        "sizes": len(one.cases),
        "work_exponent": slope.exponent if slope else None,
        "work_low": slope.low if slope else None,
        "work_high": slope.high if slope else None,
        "work_claimed": slope.claimed if slope else None,
        "work_verdict": slope.verdict if slope else None,
        "overhead_s": law.overhead if law else None,
        "factor": law.factor if law else None,
        "time_exponent": law.exponent if law else None,
        "time_low": law.low if law else None,
        "time_high": law.high if law else None,
        "naive_slope": law.naive_slope if law else None,
        "time_claimed": fit.claimed,
        "time_verdict": fit.verdict,
        "reason": fit.reason,
        "cases": " ".join(one.cases["case"]),
    }
