"""What the pages of all studies have in common: their cases, skips, environment and how to repeat them."""

from collections.abc import Callable

from reports.figure import Figure
from reports.page import Page, Section, warnings
from reports.run import Run
from reports.table import Sentence, Table
from reports.tables import cases, environment, skips

Draw = Callable[[Run], Figure | None]


def page_of(
    run: Run, title: str, lead: list[tuple[str, Sentence]], figures: list[Draw], tables: list[Table]
) -> Page:
    """A page with `lead`, the figures that the study has numbers for, `tables`, and what stands below."""
    name = title.lower()
    cited = {case for table in tables for case in table.cited}
    cited |= {
        part.case for _, sentence in lead for part in sentence if not isinstance(part, str) and part.case
    }
    sections = [
        Section("skips", "Skips, failures and timeouts", _renamed(name, skips.build(run))),
        Section("environment", "Environment", _renamed(name, environment.build(run))),
        Section("cases", "Cases", _renamed(name, cases.build(run, cited)), folded=True),
    ]
    return Page(
        title=f"gradmark: {name}",
        lead=lead,
        warnings=warnings(run),
        summary=tables,
        figures=[figure for draw in figures if (figure := draw(run)) is not None],
        sections=[section for section in sections if section.tables],
        command=environment.command(run.environment),
        commit=str(run.environment.get("commit") or ""),
        links=[("index.html", "All results")],
    )


def _renamed(study: str, tables: list[Table]) -> list[Table]:
    """Their CSV files stand beside those of the main page."""
    from dataclasses import replace

    return [replace(table, name=f"{study}-{table.name}") for table in tables]
