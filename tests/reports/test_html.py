"""The page: self-contained, traceable, and safe with whatever a plug-in printed."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradmark.run.frame import read_frame
from reports import page, render, write
from reports.run import Run, read
from tests.reports.synthetic import SyntheticRun

EVIL = "<script>alert('x')</script>"
LOCAL = ("#", "tables/", "figures/")


class Links(HTMLParser):
    """Collects ids, links, and the names of the elements."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "src", "xlink:href", "srcset", "data", "action"):
                self.links.append(str(value))


@pytest.fixture(scope="module")
def parsed(report: Path) -> Links:
    links = Links()
    links.feed((report / "index.html").read_text())
    return links


def test_the_page_fetches_nothing(report: Path, parsed: Links) -> None:
    assert all(link.startswith(LOCAL) for link in parsed.links)
    text = (report / "index.html").read_text()
    assert not re.search(r"url\((?!#)|@import|https?://", text)
    assert not {"link", "img", "iframe", "object", "embed"} & set(parsed.tags)


def test_every_link_leads_somewhere(report: Path, parsed: Links) -> None:
    for link in set(parsed.links):
        assert link[1:] in parsed.ids if link.startswith("#") else (report / link).is_file(), link


def test_ids_are_unique_though_many_drawings_are_inside(parsed: Links) -> None:
    # Matplotlib itself defines a glyph once for each drawing, and marks with equal ids are equal marks.
    anchors = [name for name in parsed.ids if name.startswith(("case-", "figure-"))]
    assert len(anchors) == len(set(anchors))


def test_every_number_of_the_page_links_to_a_case_of_the_run(full_run: Path, parsed: Links) -> None:
    known = set(read_frame(full_run)[0]["case"])
    cited = {link.removeprefix("#case-") for link in parsed.links if link.startswith("#case-")}
    assert len(cited) > 200
    assert cited <= known


def test_every_case_in_a_csv_file_is_one_of_the_run(full_run: Path, report: Path) -> None:
    import pandas as pd

    known = set(read_frame(full_run)[0]["case"])
    for file in (report / "tables").glob("*.csv"):
        data = pd.read_csv(file, low_memory=False)
        if "case" in data:
            assert set(data["case"]) <= known, file.name


def evil_run(folder: Path, records: SyntheticRun) -> Run:
    """Names and reasons that try to be more than text."""
    for size in (10, 100, 1000):
        key = records.key(
            "quadratic", {"size": size}, f"mine.py:{EVIL}", backend="$x^{", hyper={"note": EVIL}
        )
        records.case(key, EVIL, size, None)
        records.add(key, "ratio", 2.0 * size, "cost")
        records.add(key, "time", 1e-3 * size, "cost")
        records.add(key, "error", 1e-3, "cost", detail={"reference": EVIL})
    key = records.key("quadratic", {"size": 10}, "$x^{", backend=EVIL)
    records.case(
        key,
        "",
        10,
        None,
        status="failed",
        reason=f"{EVIL}\n| a | \x1b[31m` [x](javascript:y) $_$ {{{{ 7*7 }}}}",
    )
    return read(records.write(folder / "run"))


def test_names_and_reasons_are_text_and_not_markup(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    run = evil_run(tmp_path, synthetic_run)
    folder = write.write(page.make(run), run, tmp_path / "report").parent
    text = (folder / "index.html").read_text()
    assert text.count("<script>") == 1  # our own
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "{{ 7*7 }}" in text
    for drawing in (folder / "figures").glob("*.svg"):
        assert "<script" not in drawing.read_text()


def test_markdown_shows_names_and_reasons_as_text(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    text = render.markdown(page.make(evil_run(tmp_path, synthetic_run)))
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(javascript:", text)
    row = next(line for line in text.splitlines() if "7\\*7" in line and line.startswith("|"))
    # Eight columns have nine bars that are not escaped.
    assert len(re.findall(r"(?<!\\)\|", row)) == 9


def test_markdown_says_the_same_as_the_page(report: Path, full_page: page.Page) -> None:
    text = (report / "report.md").read_text()
    for figure in full_page.figures:
        assert f"](figures/{figure.name}.png)" in text
        assert (report / "figures" / f"{figure.name}.png").stat().st_size > 10_000
    for table in full_page.tables:
        assert (
            text.count(f"| {render.escape_markdown(table.rows[0][0].text)} |") or table.name == "environment"
        )
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) == sum(len(table.rows) + 2 for table in full_page.tables)


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(report: Path) -> None:
    width = 0
    for line in (report / "report.md").read_text().splitlines():
        bars = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert bars == width or not width or not bars
        width = bars


def test_the_page_says_how_to_repeat_it(report: Path) -> None:
    text = (report / "index.html").read_text()
    assert "git checkout 0123456789abcdef" in text
    assert "gradmark run --profile quick" in text
    assert "OPENBLAS_CORETYPE=Haswell pins slower kernels" in text
