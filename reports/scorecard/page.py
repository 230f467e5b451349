"""The scorecard as a page: index.html, report.md, tables/*.csv."""

from pathlib import Path

from gradmark.errors import UsageError
from reports import render
from reports.page import Page, Section
from reports.run import Run
from reports.scorecard import NAME, record, tables
from reports.scorecard.record import Scorecard
from reports.scorecard.tally import below_the_bar, tally
from reports.table import Sentence
from reports.tables import environment

_MET = "gradmark meets it: every wrong gradient caught (one may stay undecided), no correct one accused."
_FILES = "tables/scorecard-cases.csv holds every answer of every checker with its reason."


def sections(scorecard: Scorecard) -> list[Section]:
    """The scorecard as sections of a page."""
    found = [tables.summary(scorecard), tables.classes(scorecard)]
    return [
        Section("scorecard", "Scorecard", found),
        Section("scorecard-cases", "Cases of the scorecard", [tables.cases(scorecard)], folded=True),
    ]


def of_run(run: Run) -> list[Section]:
    """The sections for a run whose folder holds a scorecard; none where it holds none."""
    path = run.folder / NAME
    return sections(record.read(path)) if path.is_file() else []


def make(scorecard: Scorecard) -> Page:
    """The page of a scorecard alone."""
    (_, cases), summary = sections(scorecard), [tables.summary(scorecard), tables.classes(scorecard)]
    about = environment.of(scorecard.environment)
    return Page(
        title="gradmark: the scorecard",
        lead=_lead(scorecard),
        warnings=[str(text) for text in scorecard.environment.get("warnings") or []],
        summary=summary,
        figures=[],
        sections=[cases, *([Section("environment", "Environment", about)] if about else [])],
        command=environment.command(scorecard.environment),
        commit=str(scorecard.environment.get("commit") or ""),
        files=_FILES,
    )


def write(scorecard: Scorecard, folder: Path) -> Path:
    """Write the page into `folder` and return the path of index.html. Raises `UsageError` where it can't."""
    page = make(scorecard)
    try:
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(render.html(page, {}), encoding="utf-8")
        (folder / "report.md").write_text(render.markdown(page), encoding="utf-8")
        for table in page.tables:
            if not table.data.empty:
                table.data.to_csv(folder / "tables" / f"{table.name}.csv", index=False)
    except OSError as error:
        raise UsageError(
            f"the page cannot be written to `{folder}`: {error}; choose another --out."
        ) from error
    return folder / "index.html"


def _lead(scorecard: Scorecard) -> list[tuple[str, Sentence]]:
    lines: list[tuple[str, Sentence]] = [
        ("Question", ("Which wrong gradients does a checker find, and which correct ones does it accuse?",))
    ]
    for name in scorecard.checkers:
        each = tally(name, scorecard.results)
        said = (
            f"caught {each.wrong['caught']} of {each.asked_wrong} wrong gradients and accused "
            f"{each.correct['accused']} of {each.asked_correct} correct ones."
        )
        lines.append((tables.title(name), (said,)))
    if "gradmark" in scorecard.checkers:
        lines.append(("Bar", (" ".join(below_the_bar(scorecard.results)) or _MET,)))
    return lines
