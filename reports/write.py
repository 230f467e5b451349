"""A page as files: index.html, report.md, tables/*.csv, figures/*.svg and *.png."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gradmark.errors import UsageError
from reports import render
from reports.page import Page
from reports.run import Run
from reports.style import house_style

RESOLUTION = 160
"""Dots per inch of the PNG files."""


def write(page: Page, run: Run, folder: Path, studies: Mapping[str, Page] | None = None) -> Path:
    """Write the page into `folder`, and those of `studies` beside it; return the path of its index.html.

    Raises `UsageError` where the folder cannot be written.
    """
    try:
        for name in ("tables", "figures"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, study in (studies or {}).items():
            _write_page(study, folder, f"{name}.html", f"{name}.md")
            _write_tables(of_page(study), folder)
        _write_page(page, folder, "index.html", "report.md")
        _write_tables(tables(page, run), folder)
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to `{folder}`: {error}; choose another --out."
        ) from error
    return folder / "index.html"


def _write_page(page: Page, folder: Path, html: str, markdown: str) -> None:
    """The page in both forms, and its figures as files."""
    pictures = {figure.name: render.svg(figure) for figure in page.figures}
    (folder / html).write_text(render.html(page, pictures), encoding="utf-8")
    (folder / markdown).write_text(render.markdown(page), encoding="utf-8")
    for name, text in pictures.items():
        (folder / "figures" / f"{name}.svg").write_text(text, encoding="utf-8")
    with house_style():
        for figure in page.figures:
            figure.canvas.savefig(folder / "figures" / f"{figure.name}.png", dpi=RESOLUTION)


def _write_tables(found: Mapping[str, pd.DataFrame], folder: Path) -> None:
    for name, data in found.items():
        data.to_csv(folder / "tables" / f"{name}.csv", index=False)


def tables(page: Page, run: Run) -> dict[str, pd.DataFrame]:
    """The CSV files by name: each table's numbers, each figure's, all cases and all records."""
    details = [name for name in run.cases.columns if name.endswith("detail")]
    records = run.records if run.of_studies.empty else pd.concat([run.records, run.of_studies])
    return of_page(page) | {
        "cases": run.cases.drop(columns=details),
        "records": records.drop(columns="detail"),
    }


def of_page(page: Page) -> dict[str, pd.DataFrame]:
    """The CSV files of a page's own tables and figures, by name."""
    found = {table.name: table.data for table in page.tables if not table.data.empty}
    return found | {f"figure-{figure.name}": figure.data for figure in page.figures}
