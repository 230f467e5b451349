"""The summary: for each method and place its cost at each P, growth, evaluations, memory and accuracy."""

from collections.abc import Iterator

import pandas as pd

from reports import cells, numbers, theory
from reports.run import Run
from reports.series import Series, main_dtype, reference_size, scenes
from reports.style import family_order
from reports.table import Cell, Table

MOST_SIZES = 7
"""Sizes that get a column of their own; of more, evenly spaced ones."""


def build(run: Run) -> list[Table]:
    """A table for each scene, the one with most cases first."""
    return [_table(run, scene, index) for index, scene in enumerate(scenes(run.main))]


def _table(run: Run, scene: str, index: int) -> Table:
    cases = run.main[run.main["scene"] == scene]
    dtype = main_dtype(cases[cases["ratio"].notna()] if cases["ratio"].notna().any() else cases)
    sizes, dtypes = _sizes(cases), _dtypes(cases)
    done = cases[(cases["status"] == "done") & cases["P"].isin(sizes)]
    reference = reference_size(done if not done.empty else cases, "case")
    growth = _Growth(run, scene, dtype)
    rows = [_row(own, growth, sizes, reference, dtype, dtypes) for own in _methods(cases)]
    at = f"P = {numbers.count(reference)}"
    columns = ["method", "where", *[f"cost in forward passes, P =|{numbers.count(size)}" for size in sizes]]
    columns += ["growth with P|passes", "growth with P|time", f"{at}|evaluations", f"{at}|peak memory"]
    columns += [f"{at}|digits {name}" for name in dtypes]
    if cases["stochastic"].any():
        columns.append(f"{at}|cosine")
        rows = [
            [*row, cells.cosine(own, reference, dtype)]
            for row, own in zip(rows, _methods(cases), strict=True)
        ]
    return Table(f"summary-{index + 1}", scene, _caption(dtype, index), columns, rows, _data(cases, growth))


def _caption(dtype: str, index: int) -> str:
    if index:
        return f"Columns as in the summary; costs in {dtype}."
    return (
        f"Cost: time of one gradient in plain forward passes of the same backend, in {dtype}, with its 95 % "
        "bootstrap interval. Growth: k with its 95 % interval, of the counted evaluations (straight line "
        "on log axes) and of the time (t = a + b P^k), beside what the method claims. Evaluations: "
        "forward and tangent passes as counted, and as claimed. Digits: correct decimal digits of the "
        "whole gradient. Black-box methods read the loss alone, traced "
        "ones a recorded graph, structured ones the layers. Each number links to its case."
    )


class _Growth:
    """The laws and slopes of a scene in one dtype, by method and place."""

    def __init__(self, run: Run, scene: str, dtype: str) -> None:
        where = (scene, dtype)
        self.laws = {_whose(f.series): f for f in run.laws if (f.series.scene, f.series.dtype) == where}
        self.slopes = {_whose(f.series): f for f in run.slopes if (f.series.scene, f.series.dtype) == where}


def _whose(one: Series) -> tuple[str, str]:
    return one.variant, one.place


def _dtypes(cases: pd.DataFrame) -> list[str]:
    """The dtypes of the cases, the widest first."""
    return sorted(set(cases["dtype"]), key=lambda name: (theory.epsilon(name) or 1.0, name))


def _sizes(cases: pd.DataFrame) -> list[float]:
    asked = cases[cases["ratio"].notna() | (cases["status"] != "done")]
    sizes = sorted((asked if asked["ratio"].notna().any() else cases)["P"].dropna().unique())
    if len(sizes) <= MOST_SIZES:
        return sizes
    return [sizes[round(i * (len(sizes) - 1) / (MOST_SIZES - 1))] for i in range(MOST_SIZES)]


def _methods(cases: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The cases of each method and place, families in order, without places at which a method never ran."""
    groups = [group for _, group in cases.groupby(["variant", "place"], sort=False)]
    ran = {group["variant"].iloc[0] for group in groups if (group["status"] != "skipped").any()}
    kept = [
        group
        for group in groups
        if (group["status"] != "skipped").any() or group["variant"].iloc[0] not in ran
    ]
    yield from sorted(
        kept, key=lambda group: (family_order(group["family"].iloc[0]), group["variant"].iloc[0])
    )


def _row(
    own: pd.DataFrame, growth: _Growth, sizes: list[float], reference: float, dtype: str, dtypes: list[str]
) -> list[Cell]:
    first = own.iloc[0]
    here = {(row["P"], row["dtype"]): row for row in own.to_dict("records")}
    row = [cells.method(first), Cell(first["place"])]
    row += [cells.cost(here.get((size, dtype))) for size in sizes]
    whose = (first["variant"], first["place"])
    row += [cells.slope(growth.slopes.get(whose)), cells.law(growth.laws.get(whose))]
    row += [cells.evaluations(here.get((reference, dtype))), cells.memory(here.get((reference, dtype)))]
    return row + [cells.digits(here.get((reference, name))) for name in dtypes]


def _data(cases: pd.DataFrame, growth: _Growth) -> pd.DataFrame:
    """All cases of the scene with the numbers of the table, and the growth of their method."""
    columns = [
        "case", "scene", "variant", "family", "black_box", "place", "dtype", "P", "status", "reason",
        "time", "time_low", "time_high", "ratio", "ratio_low", "ratio_high",
        "evaluations", "declared_evaluations", "peak_bytes", "error", "error_low", "error_high", "digits",
        "cosine", "cosine_low", "cosine_high", "predicted_cosine",
    ]  # fmt: skip
    whose = list(zip(cases["variant"], cases["place"], strict=True))
    slopes, laws = [growth.slopes.get(key) for key in whose], [growth.laws.get(key) for key in whose]
    grown = pd.DataFrame(
        {
            "work_exponent": [fit.exponent if fit else None for fit in slopes],
            "work_verdict": [fit.verdict if fit else None for fit in slopes],
            "time_exponent": [fit.law.exponent if fit and fit.law else None for fit in laws],
            "time_verdict": [fit.verdict if fit else None for fit in laws],
        },
        index=cases.index,
    )
    return cases[columns].join(grown)
