"""The page itself."""

from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.parallel import exactness, lead, normalised, schedules, speed, weights, workers


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    cases, cores = workers.of_run(run), speed.cpus(run)
    return page_of(
        run,
        "Parallel",
        lead.lead(run, cases, cores),
        [
            lambda run: speed.draw(cases, cores),
            lambda run: speed.draw_micro_batches(cases, cores),
            lambda run: normalised.draw(cases),
            lambda run: schedules.draw_slots(),
            lambda run: schedules.draw_bubbles(),
        ],
        [
            *exactness.build(cases),
            *weights.build(cases),
            *normalised.build(cases),
            *speed.build(cases, cores),
            *schedules.build(),
        ],
    )
