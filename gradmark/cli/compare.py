"""``gradmark compare``: two runs, and an exit code for somebody's CI."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gradmark.run.difference import Compared, Difference

_WORSE = 1


def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="The run to compare with.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run that may be better or worse.")],
    ratio_threshold: Annotated[
        float, typer.Option(help="A cost or memory that changes by less than this factor is no change.")
    ] = 1.1,
    error_threshold: Annotated[
        float, typer.Option(help="An error that changes by less than this factor is no change.")
    ] = 3.0,
    show_all: Annotated[bool, typer.Option("--all", help="Show what has not changed too.")] = False,
) -> None:
    """Compare two runs: costs in forward passes, errors, counts, memory.

    Says which differences are larger than noise: beyond the threshold, with intervals that do not
    overlap. Seconds are not compared; the runs may come from different machines. Exits with 1 when
    something in RUN_B is worse, and with 0 otherwise.
    """
    from gradmark.errors import UsageError
    from gradmark.run.difference import compare_runs
    from gradmark.run.store import read_run

    for name, value in (("--ratio-threshold", ratio_threshold), ("--error-threshold", error_threshold)):
        if not 1 <= value < float("inf"):
            raise UsageError(f"`{name} {value}` must be a factor of at least 1, such as 1.1.")
    (_, old), (_, new) = read_run(run_a), read_run(run_b)
    found = compare_runs(old, new, ratio_threshold=ratio_threshold, error_threshold=error_threshold)
    _print(found, show_all=show_all)
    if found.of("worse"):
        raise typer.Exit(_WORSE)


def _print(found: "Compared", *, show_all: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from gradmark.cli.console import console
    from gradmark.cli.words import case_words

    shown = [one for one in found.differences if show_all or one.verdict in ("worse", "better")]
    if shown:
        table = Table("verdict", "study", "case", "quantity", "A", "B", "B / A")
        for one in sorted(shown, key=lambda one: ("worse", "better", "noise", "same").index(one.verdict)):
            cells = (one.verdict, one.new.study, case_words(one.new), one.new.quantity, *_values(one))
            table.add_row(*(Text(cell) for cell in cells))
        console().print(table)
    counts = {verdict: len(found.of(verdict)) for verdict in ("worse", "better", "noise", "same")}
    typer.echo(
        f"{len(found.differences)} quantities compared: {counts['worse']} worse, {counts['better']} better, "
        f"{counts['noise']} within noise, {counts['same']} the same. "
        f"{found.only_old} cases are only in A, {found.only_new} only in B."
    )


def _values(one: "Difference") -> tuple[str, str, str]:
    from gradmark.cli.words import value_words

    change = "" if one.change is None else f"{one.change:.3g}"
    return value_words(one.old), value_words(one.new), change
