"""The page itself."""

import numpy as np
import pandas as pd

from reports.answers.sentences import joined
from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.jacobians import figure, ratios
from reports.table import Sentence


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    found = ratios.of_run(run)
    return page_of(run, "Jacobians", lead(found), [lambda run: figure.draw(found)], ratios.build(found))


def lead(found: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """Where forward and reverse mode cross."""
    pairs = [each for each in ratios.crossings(found) if np.isfinite(each.at)]
    if not pairs:
        return [("Empty", ("Nowhere in this run do forward and reverse mode cross.",))]
    parts: list[Sentence] = [
        (f"{each.forward} and {each.reverse} ({each.place}) at ", ratios.crossed(each)) for each in pairs
    ]
    start = "Forward mode costs as much as reverse mode, where theory says n/m = 1: "
    return [("Crossover", (start, *joined(parts, "; ", "; "), "."))]
