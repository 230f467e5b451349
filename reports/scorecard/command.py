"""``gradmark scorecard``: the command. What it needs is imported when it runs, so ``--help`` is quick."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gradmark.errors import UsageError, shown

if TYPE_CHECKING:
    from reports.scorecard.battery.case import Case
    from reports.scorecard.record import Scorecard


def scorecard(
    checker: Annotated[
        list[str] | None,
        typer.Option(help="Ask this one (repeat for more); default: all that are installed.", metavar="NAME"),
    ] = None,
    case: Annotated[
        str, typer.Option(help="Only cases whose name contains this regular expression.", metavar="REGEX")
    ] = "",
    cases: Annotated[bool, typer.Option("--cases", help="Print a line for each case as well.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this file.", metavar="FILE")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write scorecard.json and a page (index.html, report.md) there.", metavar="FOLDER"),
    ] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="List the cases and leave.")] = False,
) -> None:
    """Ask gradmark and other gradient checkers about a battery of wrong and of awkward gradients.

    Exit code 1 says that gradmark let a wrong gradient pass, accused a correct one, or left undecided what it
    must decide.
    """
    chosen = chosen_cases(case)
    if list_cases:
        for each in chosen:
            typer.echo(f"{each.kind:8}{each.name:44}{each.what}")
        return
    names = chosen_checkers(checker or [])
    result = made(names, chosen)
    _print(result, cases)
    _write(result, json, out)
    from reports.scorecard.tally import below_the_bar

    if missing := below_the_bar(result.results):
        for sentence in missing:
            typer.echo(f"below the bar: {' '.join(sentence.split())}", err=True)
        raise typer.Exit(1)


def chosen_cases(pattern: str) -> "list[Case]":
    """The cases whose name matches. Raises `UsageError` for no regular expression, and where none does."""
    from reports.scorecard.battery import battery

    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"`--case {shown(pattern)}` is no regular expression: {error}.") from error
    found = [case for case in battery() if wanted.search(case.name)]
    if not found:
        raise UsageError(
            f"no case's name contains `{shown(pattern)}`: `gradmark scorecard --list` shows them."
        )
    return found


def chosen_checkers(names: Sequence[str]) -> list[str]:
    """The checkers asked for, or all that are installed. Raises `UsageError` for one that is not."""
    from reports.scorecard.checkers import NAMES
    from reports.scorecard.checkers import checker as checker_of

    for name in names:
        if not checker_of(name).installed():
            raise UsageError(f"`{name}` is not installed here: install gradmark[peers], or leave it out.")
    absent = [name for name in NAMES if not checker_of(name).installed()]
    if absent and not names:
        typer.echo(f"not installed, and left out: {', '.join(absent)}", err=True)
    return list(dict.fromkeys(names)) or [name for name in NAMES if name not in absent]


def made(names: Sequence[str], chosen: "Sequence[Case]") -> "Scorecard":
    """Ask everyone about everything; progress is shown on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    from gradmark.run.environment import describe
    from reports.scorecard.asking import ask
    from reports.scorecard.record import Scorecard

    steps = [(name, case) for case in chosen for name in names]
    console = Console(stderr=True)
    shown_steps: Any = track(steps, "asking", console=console, disable=not console.is_terminal)
    results = tuple(ask(name, case) for name, case in shown_steps)
    command = ["gradmark", *sys.argv[1:]]
    return Scorecard(results, describe(("numpy", "torch"), 1, command, None))


def _print(result: "Scorecard", cases: bool) -> None:
    from reports.scorecard import tables, terminal

    terminal.show(tables.summary(result))
    if cases:
        terminal.show(tables.cases(result))


def _write(result: "Scorecard", json: Path | None, out: Path | None) -> None:
    from reports.scorecard import NAME, page, record

    if json is not None:
        record.write(result, json)
    if out is not None:
        record.write(result, out / NAME)
        typer.echo(f"The page is at {page.write(result, out)}")
