"""``gradmark show``: a run as a table in the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gradmark.run.records import Record

_COLUMNS = (
    "method",
    "P",
    "cost [forward passes]",
    "time",
    "error",
    "digits",
    "cosine",
    "evaluations",
    "memory",
    "",
)


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    study: Annotated[str | None, typer.Option(help="Show one study alone.")] = None,
) -> None:
    """Show a run as tables: one for each problem, a row for each method.

    Costs are in forward passes with their 95 % interval. What was skipped or failed says why.
    """
    from gradmark.errors import unknown_name
    from gradmark.run.store import read_run

    environment, records = read_run(run)
    studies = sorted({record.study for record in records})
    if study is not None and study not in studies:
        raise unknown_name("study", study, studies)
    _print_environment(environment)
    for title, cases in _tables([record for record in records if study in (None, record.study)]).items():
        _print_table(title, list(cases.values()))


def _print_environment(environment: Mapping[str, object]) -> None:
    words = [str(environment[name]) for name in ("cpu", "started", "commit") if environment.get(name)]
    if words:
        typer.echo(", ".join(words))
    warnings = environment.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        typer.echo(f"warning: {warning}")


def _tables(records: list["Record"]) -> dict[str, dict[str, dict[str, "Record"]]]:
    """Records by table title, then case, then quantity."""
    from gradmark.cli.words import problem_words

    tables: dict[str, dict[str, dict[str, Record]]] = {}
    for record in records:
        title = f"{record.study}: {problem_words(record.key)}"
        tables.setdefault(title, {}).setdefault(record.id, {})[record.quantity] = record
    return tables


def _print_table(title: str, cases: list[dict[str, "Record"]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from gradmark.cli.console import console

    table = Table(*_COLUMNS, title=Text(title), title_justify="left")
    for case in sorted(cases, key=_cost):
        table.add_row(*(Text(cell) for cell in _row(case)))
    console().print(table)


def _cost(case: dict[str, "Record"]) -> float:
    value = case["time"].value if "time" in case else None
    return float("inf") if value is None else value


def _row(case: dict[str, "Record"]) -> list[str]:
    from gradmark.cli.words import method_words, seconds_words, value_words

    any_record = next(iter(case.values()))
    end = case.get("case")
    size = "" if end is None else str(end.detail.get("P", ""))
    time = case.get("time")
    seconds = "" if time is None or time.value is None else seconds_words(time.value)
    words = {name: _cell(case[name]) if name in case else "" for name in _SHOWN}
    ending = "not finished" if end is None else "" if end.status == "done" else value_words(end)
    return [method_words(any_record.key), size, words["ratio"], seconds, *list(words.values())[1:], ending]


def _cell(record: "Record") -> str:
    """The value, or in one word why there is none."""
    from gradmark.cli.words import value_words

    return value_words(record) if record.status == "done" else record.status


_SHOWN = ("ratio", "error", "digits", "cosine", "evaluations", "peak_bytes")
