"""The page itself."""

from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.memory import (
    by_activation,
    by_depth,
    by_layer,
    cases,
    depth,
    flops,
    frontier,
    lead,
    structured,
)


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    found = cases.of_run(run)
    tables = [
        *by_depth.build(found),
        *by_activation.build(found),
        *by_layer.build(found),
        *structured.build(found),
        *flops.build(found),
    ]
    figures = [lambda run: depth.draw(found), lambda run: frontier.draw(found)]
    return page_of(run, "Memory", lead.lead(found), figures, tables)
