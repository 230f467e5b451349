"""How many evaluations a cosine takes, by the number of parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.figure import Figure
from reports.studies.evolution.estimates import evaluations_for
from reports.style import Look, grid, key, literal, log_log
from reports.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COSINES = (0.1, 0.5, 0.9)
_CAPTION = (
    "Networks of P parameters: the measured cosine with its 95 % interval, beside the law sqrt(M/(M + v)), "
    "and the evaluations that an expected cosine c takes, M = v c²/(1 - c²) samples, with v from the "
    "measured variance."
)
_FIGURE = (
    "Evaluations for an expected cosine of 0.5 with the gradient, from measured variances (points) and "
    "from the claimed ones (lines)."
)
_COLOURS = ("#0072B2", "#009E73", "#AA4499", "#D55E00")
_MARKERS = "osD^"
_DATA = [
    "case", "who", "P", "evaluations", "pairs", "cosine", "cosine_low", "cosine_high", "cosine_law",
    "variance", "variance_law", "seeds", *(f"for_{cosine:g}" for cosine in COSINES),
]  # fmt: skip


def with_needs(found: pd.DataFrame) -> pd.DataFrame:
    """`found` with columns ``for_0.1``, ``for_0.5``, ``for_0.9``: evaluations by the measured variance."""
    known = found[found["pairs"].notna() & found["evaluations"].notna()].copy()
    one = known["evaluations"] / known["pairs"]
    for cosine in COSINES:
        variance = known["variance"] * known["pairs"]
        known[f"for_{cosine:g}"] = [
            evaluations_for(cosine, v, each) for v, each in zip(variance, one, strict=True)
        ]
    return known.sort_values(["P", "who"], kind="stable")


def build(found: pd.DataFrame) -> list[Table]:
    """One table, rows by P and method."""
    known = with_needs(found)
    if known.empty:
        return []
    columns = ["P", "method", "evaluations", "cosine|measured", "cosine|law"]
    columns += [f"evaluations for a cosine of|{cosine:g}" for cosine in COSINES]
    rows = [_row(row) for row in known.to_dict("records")]
    return [Table("evolution-sizes", "Evaluations for a cosine", _CAPTION, columns, rows, known[_DATA])]


def _row(row: Mapping[Any, Any]) -> list[Cell]:
    case = str(row["case"])
    law = float(row["cosine_law"])
    return [
        Cell(numbers.count(row["P"]), kind="number"),
        Cell(str(row["who"])),
        Cell(numbers.count(row["evaluations"]), kind="number"),
        Cell(
            numbers.three(row["cosine"]),
            numbers.interval(row["cosine_low"], row["cosine_high"]),
            case,
            kind="number",
        ),
        Cell(numbers.three(law) if np.isfinite(law) else "", kind="number"),
        *(Cell(numbers.three(row[f"for_{c:g}"]), case=case, kind="number") for c in COSINES),
    ]


def draw(found: pd.DataFrame) -> Figure | None:
    """Evaluations for a cosine of 0.5 against P; None where there are fewer than two sizes."""
    known = with_needs(found)
    if known["P"].nunique() < 2:
        return None
    names = list(dict.fromkeys(known["who"]))
    looks = {who: Look(_COLOURS[i % 4], _MARKERS[i % 4]) for i, who in enumerate(names)}
    canvas, (axes,) = grid(1, height=4.2)
    for who in names:
        _line(axes, known[known["who"] == who].sort_values("P"), looks[who])
    log_log(axes)
    axes.set(xlabel="parameters P", ylabel="evaluations for a cosine of 0.5")
    key(canvas, methods={literal(who): look for who, look in looks.items()}, lines={"claimed": "-"})
    return Figure("evolution-sizes", "Evaluations for a cosine of 0.5", _FIGURE, canvas, known[_DATA])


def _line(axes: "Axes", own: pd.DataFrame, look: Look) -> None:
    one = (own["evaluations"] / own["pairs"]).to_numpy(float)
    claimed = (own["variance_law"] * own["pairs"]).to_numpy(float)
    law = [evaluations_for(0.5, v, each) for v, each in zip(claimed, one, strict=True)]
    axes.plot(own["P"], own["for_0.5"], look.marker, color=look.colour, zorder=3)
    axes.plot(own["P"], law, color=look.colour, linewidth=1, zorder=1)
