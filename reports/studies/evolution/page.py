"""The page itself."""

import pandas as pd

from reports import numbers
from reports.page import Page
from reports.run import Run
from reports.studies.evolution import estimates, laws, moves, rates, sizes
from reports.studies.frame import page_of
from reports.table import Cell, Sentence


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    cases = estimates.of_run(run)
    linear, moved = estimates.linear(cases), estimates.network(cases, moved=True)
    sized = estimates.network(cases, moved=False)
    tables = [*laws.build(linear), *sizes.build(sized)]
    figures = [lambda run: moves.draw(moved), lambda run: sizes.draw(sized)]
    return page_of(run, "Evolution", lead(linear, moved, sized), figures, tables)


def lead(linear: pd.DataFrame, moved: pd.DataFrame, sized: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """What is found, a sentence for each question."""
    found: list[tuple[str, Sentence | None]] = [
        ("Laws", _laws(linear)),
        ("Rate", rates.sentence(linear)),
        ("Sigma", _sigma(moved)),
        ("Evaluations", _needs(sized)),
    ]
    said = [(title, sentence) for title, sentence in found if sentence is not None]
    return said or [("Empty", ("No case of this study ended with a number.",))]


def _laws(linear: pd.DataFrame) -> Sentence | None:
    if linear.empty:
        return None
    verdicts = laws.with_verdicts(linear)["verdict"].value_counts()
    parts = [
        f"{verdicts[name]} {name}" for name in ("equal", "agrees", "differs", "no law") if name in verdicts
    ]
    return (f"Of {len(linear)} cells on a linear loss, beside their laws: {', '.join(parts)}.",)


def _sigma(moved: pd.DataFrame) -> Sentence | None:
    order, crossing = moves.order(moved), moves.crossover(moved)
    if order is None and crossing is None:
        return None
    parts: list[str | Cell] = []
    if order is not None:
        parts += [
            "The bias falls with sigma to the power ",
            Cell(f"{order[0]:.3f}", case=order[1]),
            " (theory 2). ",
        ]
    if crossing is not None:
        at = Cell(numbers.three(crossing[0]), case=crossing[1])
        parts += ["From sigma = ", at, " on mirrored pairs err less than as many one-sided evaluations."]
    return tuple(parts)


def _needs(sized: pd.DataFrame) -> Sentence | None:
    known = sizes.with_needs(sized)
    if known.empty:
        return None
    last = known[known["P"] == known["P"].max()]
    parts: list[str | Cell] = [f"At P = {numbers.count(last['P'].iloc[0])} a cosine of 0.5 takes "]
    for number, row in enumerate(last.to_dict("records")):
        parts += [
            ", " if number else "",
            Cell(numbers.three(row["for_0.5"]), case=row["case"]),
            f" with {row['who']}",
        ]
    return (*parts, " evaluations.")
