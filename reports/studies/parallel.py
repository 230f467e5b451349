"""The page of the study of parallel."""

from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    return page_of(run, "Parallel", [], [], [])
