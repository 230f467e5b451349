"""What is found, in sentences whose numbers lead to their cases."""

from collections.abc import Callable

import pandas as pd

from reports import numbers
from reports.answers.sentences import joined, listed
from reports.studies.memory.by_activation import keeps, perceptrons
from reports.studies.memory.by_depth import growth, predicted, series, two_places
from reports.studies.memory.cases import AUTOGRAD, NONE
from reports.studies.memory.flops import agrees, networks
from reports.studies.memory.trades import by_torch, checkpointed, reversible, revolve
from reports.table import Cell, Sentence


def lead(cases: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """A label and a sentence for each question that the cases can answer; one that says so, where none."""
    found = [(label, said) for label, question in _QUESTIONS.items() if (said := question(cases))]
    return found or [("Empty", ("No case of this study ended with a number.",))]


def kept(cases: pd.DataFrame) -> Sentence | None:
    """Whether what is kept is the law, and where z is kept beside h."""
    found = perceptrons(cases)
    own = found[found["kind"] == NONE]
    if own.empty:
        return None
    own = own[(own["rows"] == own["rows"].mode().iloc[0]) & (own["widths"] == own["widths"].iloc[0])]
    parts: list[Sentence] = []
    for which, group in own.groupby([keeps(row) for row in own.to_dict("records")]):
        first, names = group.iloc[0], listed(sorted(set(group["activation"])))
        times = "" if which == "h alone" else f"({numbers.three(first['held'] / first['h'])} times the law)"
        parts.append((f"{which} with {names}, ", Cell(numbers.si(first["held"], "B"), times, first["case"])))
    law = f"bytes × rows × (n₀ + … + n_L) = {numbers.si(own['h'].iloc[0], 'B')} for h alone"
    network = f"{own['widths'].iloc[0]} at {numbers.count(own['rows'].iloc[0])} rows"
    start = f"Of dense layers {network}, where the law is {law}, backprop keeps "
    return (start, *joined(parts, "; ", "; "), ".")


def kept_by_torch(cases: pd.DataFrame) -> Sentence | None:
    """The least and the most that torch's graph keeps, in laws of h alone."""
    found = perceptrons(cases)
    graph = found[found["kind"] == AUTOGRAD]
    if graph["activation"].nunique() < 2:
        return None
    shares = (graph["held"] / graph["h"]).sort_values()
    least, most = graph.loc[shares.index[0]], graph.loc[shares.index[-1]]
    return (
        "torch.autograd, which records activations as these problems write them, keeps from ",
        Cell(numbers.three(shares.iloc[0]), case=least["case"]),
        f" ({least['activation']}) to ",
        Cell(numbers.three(shares.iloc[-1]), case=most["case"]),
        f" ({most['activation']}) times the law for h alone.",
    )


def rows(cases: pd.DataFrame) -> Sentence | None:
    """How memory grows with the batch."""
    found = perceptrons(cases)
    for (activation, kind), group in found.groupby(["activation", "kind"], sort=False):
        ends = group.sort_values("rows")
        few, many = ends.iloc[0], ends.iloc[-1]
        if kind != NONE or not few["rows"] < many["rows"]:
            continue
        times = numbers.three(many["rows"] / few["rows"])
        held, peak = many["held"] / few["held"], many["beside"] / few["beside"]
        return (
            f"With {times} times as many rows ({few['rows']:.0f} to {many['rows']:.0f}, {activation}), ",
            "backprop keeps ",
            Cell(numbers.three(held), case=many["case"]),
            " times as much, and its peak beside the gradient is ",
            Cell(numbers.three(peak), case=many["case"]),
            " times as high.",
        )
    return None


def growing(cases: pd.DataFrame) -> Sentence | None:
    """The exponents of depth."""
    parts: list[Sentence] = []
    found = series(cases)
    for group in found:
        last = group.iloc[-1]
        cell = Cell(two_places(growth(group)), f"({predicted(group)})", last["case"])
        parts.append((f"{last['label']} ", cell))
    if not parts:
        return None
    low, high = sorted(set(found[0]["steps"]))[-2:]
    start = (
        f"Peak memory beside the gradient grows from {low:.0f} to {high:.0f} layers like L to the power of "
    )
    return (start, *joined(parts, "; ", "; "), ".")


def operations(cases: pd.DataFrame) -> Sentence | None:
    """Whether backward over forward is 2 - f1."""
    found = networks(cases)
    if found.empty:
        return None
    lines = found.to_dict("records")
    wrong = [line for line in lines if not agrees(line)]
    low, high = (choose(lines, key=lambda line: line["share"]) for choose in (min, max))
    right = f"all {len(lines)}" if not wrong else f"{len(lines) - len(wrong)} of {len(lines)}"
    return (
        f"A backward pass has 2 - f times the operations of a forward pass in {right} networks, f being the "
        "share that is multiplied by the data: from ",
        Cell(f"{low['share']:.3f}", case=low["case"]),
        f" ({low['network']}) to ",
        Cell(f"{high['share']:.3f}", case=high["case"]),
        f" ({high['network']}).",
    )


_QUESTIONS: dict[str, Callable[[pd.DataFrame], Sentence | None]] = {
    "Kept": kept,
    "Kept by torch": kept_by_torch,
    "Rows": rows,
    "Depth": growing,
    "Checkpointing": checkpointed,
    "torch": by_torch,
    "Revolve": revolve,
    "Reversible": reversible,
    "Operations": operations,
}
