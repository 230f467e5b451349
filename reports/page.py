"""The page as data: what both the HTML and the Markdown template print."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reports.answers.lead import lead
from reports.figure import Figure
from reports.figures import cost, depth, frontier, functions, samples, steps, time
from reports.run import Run
from reports.style import house_style, settle
from reports.table import Sentence, Table
from reports.tables import asv, cases, denominators, environment, laws, skips, summary

_FIGURES: tuple[Callable[[Run], Figure | None], ...] = (
    cost.draw, frontier.draw, time.draw, steps.draw, samples.draw, depth.draw, functions.draw,
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A heading with tables; `folded` where only some readers want them."""

    anchor: str
    title: str
    tables: list[Table]
    folded: bool = False

    @property
    def lines(self) -> int:
        """How many rows its tables have."""
        return sum(len(table.rows) for table in self.tables)


@dataclass(frozen=True)
class Page:
    """Everything that is printed, in order: lead, warnings, summary, figures, sections, how to repeat it."""

    title: str
    lead: list[tuple[str, Sentence]]
    warnings: list[str]
    summary: list[Table]
    figures: list[Figure]
    sections: list[Section]
    command: str
    commit: str
    files: str = "tables/cases.csv holds every case with all its quantities, tables/records.csv every record."
    """What the footer says of the files beside the page."""
    links: list[tuple[str, str]] = field(default_factory=list)
    """Other pages: their file and what they are called."""

    @property
    def tables(self) -> list[Table]:
        """All tables of the page."""
        return [*self.summary, *(table for section in self.sections for table in section.tables)]


def make(run: Run) -> Page:
    """The page of a run."""
    from reports.scorecard.page import of_run  # whose own page is a `Page`

    tables, figures, scorecard = summary.build(run), draw(run), of_run(run)
    sections = [
        Section("summaries", "Summaries of the other problems", tables[1:]),
        Section("laws", "Laws of growth", laws.build(run), folded=True),
        Section("forward", "The unit of cost", denominators.build(run), folded=True),
        Section("asv", "asv results", asv.build(run), folded=True),
        Section("skips", "Skips, failures and timeouts", skips.build(run)),
        Section("environment", "Environment", environment.build(run)),
    ]
    said = lead(run)
    cited = {
        case for table in [*tables[:1], *(t for s in sections for t in s.tables)] for case in table.cited
    }
    cited |= {
        part.case for _, sentence in said for part in sentence if not isinstance(part, str) and part.case
    }
    sections += [Section("cases", "Cases", cases.build(run, cited), folded=True), *scorecard]
    return Page(
        title=f"gradmark: {run.environment.get('profile') or run.folder.resolve().name}",
        lead=said,
        warnings=warnings(run),
        summary=tables[:1],
        figures=figures,
        sections=[section for section in sections if section.tables],
        command=environment.command(run.environment),
        commit=str(run.environment.get("commit") or ""),
    )


def draw(run: Run) -> list[Figure]:
    """The figures that the run has numbers for."""
    if run.cases.empty:
        return []
    with house_style():
        figures = [figure for maker in _FIGURES if (figure := maker(run)) is not None]
        for figure in figures:
            settle(figure.canvas)
    return figures


def warnings(run: Run) -> list[str]:
    """What a reader should know before believing the numbers."""
    found = [str(text) for text in run.environment.get("warnings") or []]
    if torn := run.records.attrs.get("torn_lines"):
        found.append(
            f"{torn} line(s) of records.jsonl could not be read (a write was cut short) and are left out."
        )
    if not run.environment:
        found.append("The run has no environment.json: where and with what it was measured is not known.")
    return found
