"""The page itself."""

import numpy as np
import pandas as pd

from reports import numbers
from reports.page import Page
from reports.run import Run
from reports.studies.differences import curves, sizes, sweeps
from reports.studies.frame import page_of
from reports.table import Cell, Sentence


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    found = sweeps.of_run(run)
    figures = [lambda run: curves.draw(found), lambda run: sizes.draw(found)]
    return page_of(run, "Differences", lead(found), figures, [*sweeps.build(found), *sizes.build(found)])


def lead(found: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """How near the predicted steps and floors are to the measured ones."""
    if sweeps.swept(found).empty:
        return [("Empty", ("No case of this study was measured at several steps.",))]
    lowest = sweeps.best(found)
    known = lowest[lowest["predicted_step"].notna()]
    if known.empty:
        return [("Prediction", ("No best step could be predicted of the problems of this run.",))]
    said = []
    for label, what in (("Steps", "step"), ("Floors", "error")):
        predicted = "predicted_step" if what == "step" else "predicted_floor"
        ratio = known[what] / known[predicted]
        worst = known.iloc[int(np.argmax(np.abs(np.log(ratio.to_numpy(float)))))]
        words = "best measured step is" if what == "step" else "least measured error is"
        sentence: Sentence = (
            f"Over {len(known)} methods and dtypes the {words} {numbers.three(ratio.median())} "
            f"times the predicted "
            f"one in the median; farthest from it {worst['label']} in {worst['dtype']}, ",
            Cell(numbers.three(worst[what] / worst[predicted]), case=worst["case"]),
            " times.",
        )
        said.append((label, sentence))
    return said
