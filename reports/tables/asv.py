"""What asv has measured: the newest results of each machine over size, with the laws fitted to them."""

from typing import Any

import pandas as pd

from reports import asv_laws, numbers
from reports.asv_laws import SIZE, AsvLaw
from reports.cells import NOTHING
from reports.run import Run
from reports.table import Cell, Table

_CAPTION = (
    "The newest result of each machine for each benchmark of the asv suite; brackets are asv's 99 % "
    "intervals. Last: the growth n^k with the suite's size n, with its 95 % interval; for times the law t "
    "= a + b n^k as for the run, for other units the slope on log axes. asv keeps no reasons: a skipped cell "
    "is one that the method declined or that the suite leaves out for its length."
)


def build(run: Run) -> list[Table]:
    """One table, or none where there are no asv results."""
    newest = asv_laws.newest(run.asv)
    if newest.empty:
        return []
    laws = {(law.machine, law.benchmark, words(law.parameters)): law for law in asv_laws.laws(run.asv)}
    newest = newest.assign(
        size=[parameters.get(SIZE) for parameters in newest["parameters"]],
        held=[words(asv_laws.held(parameters)) for parameters in newest["parameters"]],
    )
    sizes = sorted({size for size in newest["size"] if isinstance(size, int | float)})
    shown: list[Any] = sizes or [None]
    columns = [
        "benchmark",
        "machine",
        "commit",
        "parameters",
        *[f"size =|{size:g}" if sizes else "result" for size in shown],
    ]
    rows = [
        _row(group, shown, laws.get((str(machine), str(benchmark), str(held))))
        for (machine, benchmark, held), group in newest.groupby(["machine", "benchmark", "held"], sort=False)
    ]
    return [Table("asv", "asv results", _CAPTION, [*columns, "grows as n^k"], rows, _data(run.asv, laws))]


def words(parameters: dict[str, Any]) -> str:
    """The values of parameters in a line."""
    return ", ".join(map(str, parameters.values()))


def _row(group: pd.DataFrame, sizes: list[Any], law: AsvLaw | None) -> list[Cell]:
    first = group.iloc[0]
    cells = {(row["size"] if sizes != [None] else None): row for row in group.to_dict("records")}
    return [
        Cell(str(first["benchmark"])),
        Cell(str(first["machine"])),
        Cell(str(first["commit"])[:8]),
        Cell(str(first["held"])),
        *[_result(cells.get(size)) for size in sizes],
        _growth(law),
    ]


def _result(row: dict[Any, Any] | None) -> Cell:
    if row is None:
        return NOTHING
    if row["status"] != "done":
        return Cell(row["status"], kind="number bad" if row["status"] == "failed" else "number muted")
    low, high = row["low"], row["high"]
    if row["unit"] == "seconds":
        bracket = numbers.si_interval(low, high, row["value"], "s")
    else:
        bracket = numbers.interval(low, high)
    return Cell(_value(row["value"], row["unit"]), bracket, kind="number")


def _value(value: float, unit: Any) -> str:
    if unit == "seconds":
        return numbers.si(value, "s")
    return numbers.si(value, "B") if unit == "bytes" else f"{numbers.three(value)} {unit or ''}".rstrip()


def _growth(law: AsvLaw | None) -> Cell:
    if law is None or law.exponent is None or law.low is None or law.high is None:
        return Cell(numbers.DASH, note=law.reason if law else "", kind="number muted")
    value, _, bracket = numbers.exponent(law.exponent, law.low, law.high).partition(" ")
    note = f"a = {numbers.overhead(law.law.overhead)}" if law.law else ""
    return Cell(value, bracket, note=note, kind="number")


def _data(results: pd.DataFrame, laws: dict[tuple[str, str, str], AsvLaw]) -> pd.DataFrame:
    """All results, every parameter a column of its own, with the exponent of their series."""
    parameters = pd.DataFrame(list(results["parameters"]), index=results.index)
    keys = [
        (machine, benchmark, words(asv_laws.held(of)))
        for machine, benchmark, of in zip(
            results["machine"], results["benchmark"], results["parameters"], strict=True
        )
    ]
    found = [laws.get(key) for key in keys]
    grown = pd.DataFrame(
        {
            "exponent": [law.exponent if law else None for law in found],
            "exponent_low": [law.low if law else None for law in found],
            "exponent_high": [law.high if law else None for law in found],
        },
        index=results.index,
    )
    return results.drop(columns="parameters").join([parameters, grown])
