"""The page itself."""

import pandas as pd

from reports import numbers
from reports.answers.sentences import joined
from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.structure import beside, growth
from reports.table import Cell, Sentence


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    found = growth.of_run(run)
    figures = [lambda run: growth.draw(found), lambda run: beside.draw(found)]
    return page_of(run, "Structure", lead(found), figures, [*beside.build(found), *growth.build(found)])


def lead(found: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """What structure saves at the largest P that both methods of a pair have."""
    data = beside.ratios(found)
    if data.empty:
        return [("Empty", ("No pair of a black-box and a structured method was timed.",))]
    parts: list[Sentence] = []
    for (one, other, place), group in data.groupby(["black_box", "structured", "place"], sort=False):
        last = group.sort_values("P").iloc[-1]
        bracket = numbers.interval(last["ratio_low"], last["ratio_high"])
        cell = Cell(numbers.three(last["ratio"]), bracket, last["case"])
        parts.append((f"{one} over {other} ({place}, P = {numbers.count(last['P'])}) ", cell))
    return [("Saved", ("Times of one method in that of the other: ", *joined(parts, "; ", "; "), "."))]
