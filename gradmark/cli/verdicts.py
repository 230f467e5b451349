"""Where the verdicts of ``gradmark validate`` go: standard output, files, the exit code."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from gradmark.cli.whole_file import check_writable, write_whole
from gradmark.errors import UsageError
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.verdict import EXIT_CODES, Verdict

_WORST_FIRST: tuple[Verdict, ...] = ("wrong", "undecided", "correct")
_COLOURS: dict[Verdict, str] = {"wrong": "red", "undecided": "yellow", "correct": "green"}
_STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True)
class Outputs:
    """The files that were asked for (``-``: standard output), and whether to be brief."""

    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    brief: Path | None = None
    quiet: bool = False

    @property
    def files(self) -> dict[str, Path]:
        """Those that were asked for, by their option."""
        named = {"--json": self.json, "--junit": self.junit, "--html": self.html, "--brief": self.brief}
        return {option: path for option, path in named.items() if path is not None}

    @property
    def claims_standard_output(self) -> bool:
        """Whether standard output is a file's, so that the text goes to standard error."""
        return _STANDARD_OUTPUT in self.files.values()


def check_outputs(outputs: Outputs) -> None:
    """Raise `UsageError` for files that cannot be written, or are meant twice."""
    places: dict[Path, str] = {}
    for option, path in outputs.files.items():
        place = path if path == _STANDARD_OUTPUT else path.resolve()
        if place in places:
            raise UsageError(f"`{option} {path}` and `{places[place]} {path}` are one file: name two.")
        places[place] = option
        if path != _STANDARD_OUTPUT:
            check_writable(option, path)


def show(report: ValidationReport, outputs: Outputs) -> None:
    """The report as text; its first word in colour on a terminal."""
    from gradmark.judging.presenting.printable import one_line
    from gradmark.judging.presenting.words import subject

    error = outputs.claims_standard_output
    if outputs.quiet and error:
        return
    colour = typer.style(report.verdict, fg=_COLOURS[report.verdict], bold=True)
    if outputs.quiet:
        _say(f"{colour}: {one_line(subject(report))}: {one_line(report.reason)}", error)
    else:
        _say(f"{colour}{str(report).removeprefix(report.verdict)}\n", error)


def write(reports: Sequence[ValidationReport], outputs: Outputs, *, several: bool, last: bool = True) -> None:
    """Write all files that were asked for; what goes to standard output waits for the last report."""
    for option, path in outputs.files.items():
        if path != _STANDARD_OUTPUT:
            write_whole(path, _rendered(option, reports, several=several))
        elif last:
            _say(_rendered(option, reports, several=several).rstrip("\n"), error=False)


def exit_code(reports: Sequence[ValidationReport]) -> int:
    """That of the worst verdict."""
    return EXIT_CODES[worst(reports)]


def worst(reports: Sequence[ValidationReport]) -> Verdict:
    """The worst verdict of several."""
    return min((report.verdict for report in reports), key=_WORST_FIRST.index)


def _rendered(option: str, reports: Sequence[ValidationReport], *, several: bool) -> str:
    if option == "--json":
        from gradmark.judging.presenting.json import all_to_json, to_json

        return (all_to_json(reports, worst(reports)) if several else to_json(reports[0])) + "\n"
    if option == "--junit":
        from gradmark.judging.presenting.junit import all_to_junit

        return all_to_junit(reports)
    if option == "--brief":
        from gradmark.judging.presenting.brief import to_brief

        return to_brief(reports) + "\n"
    from gradmark.judging.presenting.html import all_to_html

    return all_to_html(reports)


def _say(text: str, error: bool) -> None:
    """Print; what the terminal's encoding has no sign for is written as Python writes it."""
    encoding = (sys.stderr if error else sys.stdout).encoding or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding), err=error)
