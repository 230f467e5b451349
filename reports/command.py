"""``gradmark report``: the command. What it needs is imported when it runs, so that ``--help`` is quick."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="The folder that `gradmark run` has written.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option(help="Where to write the report; default: RUN/report.")] = None,
    asv: Annotated[
        Path | None,
        typer.Option(
            help="asv's results folder; default: .asv/results of the working folder, where there is one."
        ),
    ] = None,
) -> None:
    """Write a page about a run: index.html (one file), report.md, tables/*.csv, figures/*.svg and *.png."""
    index = make_report(run, out, asv)
    typer.echo(f"The report is at {index}")


def make_report(run: Path, out: Path | None = None, asv: Path | None = None) -> Path:
    """Write the report of `run` into `out` (default: run/report) and return the path of index.html.

    `asv` is a folder of asv results to merge (default: .asv/results, where it exists). Raises `UsageError`
    where `run` is not a run folder, `asv` holds no results, or `out` cannot be written.
    """
    from reports import asv_results, page, scorecard, write
    from reports.run import read
    from reports.studies import pages

    if scorecard.is_alone(run):
        return scorecard.page_of(run, out or run / "report")

    results = asv_results.find(asv)
    data = read(run, None if results is None else asv_results.read(results))
    studies = pages.of_run(data)
    links = [(f"{name}.html", name.capitalize()) for name in studies]
    whole = replace(page.make(data), links=links)
    return write.write(whole, data, out or run / "report", studies)
