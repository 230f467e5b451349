"""All sentences of the lead, in order."""

from collections.abc import Callable

from reports.answers import choice, claims, cost, error, scope
from reports.answers.sentences import listed
from reports.run import Run
from reports.table import Sentence

_QUESTIONS: dict[str, Callable[[Run], Sentence | None]] = {
    "Measured": scope.what,
    "Finished": scope.how_many,
    "Cost": cost.cheapest,
    "Largest size": cost.largest,
    "Digits": error.precise,
    "Cosine": error.stochastic,
    "Best step": error.best_step,
    "Suspect": error.accused,
    "Choice": choice.best,
    "Growth": claims.growth,
    "Work": claims.work,
}


def lead(run: Run) -> list[tuple[str, Sentence]]:
    """A label and a sentence for each question that the run can answer; without cases, one that says so."""
    if run.cases.empty and not run.of_studies.empty:
        named = listed(dict.fromkeys(run.of_studies["study"]))
        return [("Studies", (f"All that this run holds is on the pages of its studies: {named}.",))]
    if run.cases.empty:
        nothing = "This run holds no cases: nothing was measured, or it was stopped before one ended."
        return [("Empty", (nothing,))]
    return [(label, said) for label, question in _QUESTIONS.items() if (said := question(run))]
