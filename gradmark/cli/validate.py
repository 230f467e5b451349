"""``gradmark validate``: the judge at the command line, and an exit code for somebody's CI."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gradmark.cli.verdicts import Outputs
    from gradmark.judging.process.supervised import Case

_INTERRUPTED = 130


def validate(
    method: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...",
            help="Methods, or file.py:name, with name:step=1e-5 for hyper-parameters.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All registered methods.")] = False,
    problem: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A problem, or file.py:name, with sizes as mlp:widths=64,32,10; those of the profile "
            "unless said. Repeatable.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="full (about a minute a method) or ci (a few seconds).")
    ] = "full",
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="For each method; 240, unless said: 600 for one that compiles.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the judge's own random numbers.")] = 0,
    false_alarm: Annotated[
        float,
        typer.Option(metavar="P", help="Probability with which a correct stochastic method may be accused."),
    ] = 1e-6,
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK=REASON", help="A check that may fail, and why. Repeatable."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything as JSON; - is standard output.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, a test case for each finding.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page.")] = None,
    brief: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write verdicts in short as JSON, to be committed.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress, and of each verdict one line.")
    ] = False,
) -> None:
    """Judge gradient methods by what they claim: contract, accuracy, order or law, cost.

    Exits with 0 where all are correct, 1 where one is wrong, 3 where one is undecided, 2 for bad input.
    A method that hangs or crashes is wrong, and Ctrl-C keeps what was found.

    \b
    gradmark validate backprop central_difference:step=1e-5
    gradmark validate mine.py:mine --html mine.html
    gradmark validate --all --profile ci --junit validate.xml --quiet
    """
    from gradmark.cli.cases import cases
    from gradmark.cli.verdicts import Outputs, check_outputs

    outputs = Outputs(json, junit, html, brief, quiet=quiet)
    check_outputs(outputs)
    chosen = cases(method or [], every, problem or [], profile, budget, seed, false_alarm, expect or [])
    _judge(chosen, outputs)


def _judge(cases: "list[Case]", outputs: "Outputs") -> None:
    """Judge one after the other; what was found is on paper after each."""
    from gradmark.cli.following import following
    from gradmark.cli.verdicts import exit_code, show, write
    from gradmark.errors import UsageError
    from gradmark.judging.judgement import ValidationReport
    from gradmark.judging.process.supervised import Interrupted, supervised

    reports: list[ValidationReport] = []
    refused: list[UsageError] = []
    for case in cases:
        try:
            with following(case, quiet=outputs.quiet) as listener:
                report = supervised(case, listener)
        except UsageError as error:
            if len(cases) == 1:
                raise
            refused.append(error)
            typer.echo(f"gradmark: {error}", err=True)
            continue
        except Interrupted as stopped:
            write([*reports, stopped.report], outputs, several=len(cases) > 1)
            show(stopped.report, outputs)
            typer.echo("gradmark: interrupted; what was found before is shown.", err=True)
            raise typer.Exit(_INTERRUPTED) from None
        reports.append(report)
        show(report, outputs)
        write(reports, outputs, several=len(cases) > 1, last=case is cases[-1])
    raise typer.Exit(2 if refused else exit_code(reports))
