"""The page itself."""

from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.precision import costs, depths, layers, lead, losses, networks, zeros


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    cases = networks.of_run(run)
    return page_of(
        run,
        "Precision",
        lead.lead(run, cases),
        [lambda run: layers.draw(cases), lambda run: depths.draw(cases), lambda run: zeros.draw(cases)],
        [*losses.build(cases), *costs.build(cases)],
    )
