"""``gradmark calibrate``: how often the judge accuses correct gradients."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradmark.judging.calibrating.counts import Outcome, Row

_OUTSIDE = 1


def calibrate(
    checks: Annotated[
        int, typer.Option(metavar="N", help="How many checks of correct gradients; 10,000 take minutes.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The first seed of problems and methods.")] = 0,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the counts as JSON.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the counts as a Markdown page.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Count how often the judge accuses correct gradients, and whether his p-values are uniform.

    Registered methods, problems, seeds and dtypes, all correct: at false-alarm levels 1e-2 and 1e-3 the
    counts must lie within exact binomial limits, and at the default level nobody may be accused. Exits
    with 1 where a count is out of its limits.
    """
    from gradmark.arguments import check_size
    from gradmark.cli.whole_file import check_writable, write_whole
    from gradmark.judging.calibrating.counts import counted
    from gradmark.judging.calibrating.pages import to_json, to_markdown
    from gradmark.judging.calibrating.series import outcomes

    check_size("calibrate", "checks", checks)
    check_size("calibrate", "seed", seed, 0)
    for option, path in (("--json", json), ("--markdown", markdown)):
        if path is not None:
            check_writable(option, path)
    rows = counted(_followed(outcomes(checks, seed), checks, quiet))
    _print(rows)
    if json is not None:
        write_whole(json, to_json(rows, checks=checks, seed=seed))
    if markdown is not None:
        write_whole(markdown, to_markdown(rows, f"gradmark calibrate --checks {checks} --seed {seed}"))
    if any(row.faults for row in rows):
        raise typer.Exit(_OUTSIDE)


def _followed(found: "Iterator[Outcome]", checks: int, quiet: bool) -> "Iterator[Outcome]":
    """The outcomes, counted on standard error as they come."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task("checks", total=checks)
        for outcome in found:
            yield outcome
            progress.update(task, advance=1, description=outcome.check)


def _print(rows: "list[Row]") -> None:
    from rich.table import Table
    from rich.text import Text

    from gradmark.cli.console import console
    from gradmark.judging.calibrating.pages import HEADER, cells, sentences

    table = Table(*HEADER)
    for row in rows:
        table.add_row(*(Text(cell) for cell in cells(row)))
    console().print(table)
    for sentence in sentences(rows):
        typer.echo(sentence)
