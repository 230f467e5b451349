"""The page itself."""

import math

import pandas as pd

from reports import numbers
from reports.answers.sentences import joined
from reports.page import Page
from reports.run import Run
from reports.studies.frame import page_of
from reports.studies.variance import figure, laws
from reports.table import Cell, Sentence


def make(run: Run) -> Page:
    """The page of the study's cases in `run`."""
    found = laws.of_run(run)
    return page_of(run, "Variance", lead(found), [lambda run: figure.draw(found)], laws.build(found))


def lead(found: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """Whether the formulas hold, and what moving nodes instead of weights saves."""
    if found.empty:
        return [("Empty", ("No case of this study ended with a number.",))]
    said = [("Formulas", _formulas(found))]
    saved = _saved(found)
    return [*said, ("Nodes", saved)] if saved else said


def _formulas(found: pd.DataFrame) -> Sentence:
    own = found[found["P"] == found["P"].max()]
    parts: list[Sentence] = []
    for law, group in own.groupby("law", sort=False):
        low, high = laws.overall(group)
        case = str(group["case"].iloc[-1])
        middle = math.sqrt(low * high) if low > 0 else math.nan
        parts.append((f"{law} ", Cell(f"{middle:.3f}", numbers.interval(low, high), case)))
    size = numbers.count(own["P"].iloc[0])
    return (f"Measured variance over its formula at P = {size}: ", *joined(parts, "; ", "; "), ".")


def _saved(found: pd.DataFrame) -> Sentence | None:
    """Weights over nodes, of gaussian laws with as many directions."""
    own = found[found["P"] == found["P"].max()].set_index("law")
    for law in ("gaussian", "rademacher"):
        if not {f"weights, {law}", f"nodes, {law}"} <= set(own.index):
            continue
        one, other = (own.loc[[f"{what}, {law}"]].set_index("directions") for what in ("weights", "nodes"))
        shared = sorted(set(one.index) & set(other.index))
        if shared:
            ratio = one.loc[shared[-1], "variance"] / other.loc[shared[-1], "variance"]
            return (
                f"With {shared[-1]:.0f} {law} directions, moving nodes instead of weights has a variance ",
                Cell(numbers.three(ratio), case=str(other.loc[shared[-1], "case"])),
                " times smaller.",
            )
    return None
