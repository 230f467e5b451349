"""The command `gradmark`. Nothing heavy is imported before a command runs, so that `--help` comes at once."""

from typing import Annotated

import typer

from gradmark.cli.calibrate import calibrate
from gradmark.cli.commands import Commands
from gradmark.cli.compare import compare
from gradmark.cli.listing import list_registered
from gradmark.cli.run import run
from gradmark.cli.show import show
from gradmark.cli.validate import validate

app = typer.Typer(
    cls=Commands,
    name="gradmark",
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def gradmark(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Compare ways of computing a gradient: what each costs, and how wrong it is.

    Measure with "gradmark run", read the result with "gradmark report RUN". A method or problem of your
    own can be named as path/to/file.py:name wherever a name is asked for.
    """
    if version:
        from gradmark import __version__

        typer.echo(f"gradmark {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("list")(list_registered)
app.command("run")(run)
app.command("show")(show)
app.command("compare")(compare)
app.command("validate")(validate)
app.command("calibrate")(calibrate)


def main() -> None:
    """Run the command line; does not return."""
    app()
