"""A page as files: index.html, report.md, tables/*.csv, figures/*.svg and *.png."""

from pathlib import Path

import pandas as pd

from gradmark.errors import UsageError
from reports import render
from reports.page import Page
from reports.run import Run
from reports.style import house_style

RESOLUTION = 160
"""Dots per inch of the PNG files."""


def write(page: Page, run: Run, folder: Path) -> Path:
    """Write the page into `folder` and return the path of its index.html.

    Raises `UsageError` where the folder cannot be written.
    """
    try:
        for name in ("tables", "figures"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        index = folder / "index.html"
        pictures = {figure.name: render.svg(figure) for figure in page.figures}
        index.write_text(render.html(page, pictures), encoding="utf-8")
        (folder / "report.md").write_text(render.markdown(page), encoding="utf-8")
        for name, data in tables(page, run).items():
            data.to_csv(folder / "tables" / f"{name}.csv", index=False)
        for name, text in pictures.items():
            (folder / "figures" / f"{name}.svg").write_text(text, encoding="utf-8")
        with house_style():
            for figure in page.figures:
                figure.canvas.savefig(folder / "figures" / f"{figure.name}.png", dpi=RESOLUTION)
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to `{folder}`: {error}; choose another --out."
        ) from error
    return index


def tables(page: Page, run: Run) -> dict[str, pd.DataFrame]:
    """The CSV files by name: each table's numbers, each figure's, all cases and all records."""
    found = {table.name: table.data for table in page.tables if not table.data.empty}
    found |= {f"figure-{figure.name}": figure.data for figure in page.figures}
    details = [name for name in run.cases.columns if name.endswith("detail")]
    return found | {
        "cases": run.cases.drop(columns=details),
        "records": run.records.drop(columns="detail"),
    }
