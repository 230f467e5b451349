"""What recomputation and inversion trade: memory for time, in sentences."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import numbers
from reports.studies.memory import theory
from reports.studies.memory.by_depth import formula, series
from reports.studies.memory.cases import AUTOGRAD, NONE, REVERSIBLE, REVOLVE, TORCH, UNIFORM
from reports.studies.memory.frontier import at_one_depth
from reports.table import Cell, Sentence


def checkpointed(cases: pd.DataFrame) -> Sentence | None:
    """What sqrt(L) segments cost and save."""
    return _traded(cases, UNIFORM, NONE, "Checkpointing in about √L segments")


def by_torch(cases: pd.DataFrame) -> Sentence | None:
    """The same of torch's own."""
    return _traded(cases, TORCH, AUTOGRAD, "torch.utils.checkpoint in as many segments")


def _traded(cases: pd.DataFrame, kind: str, base: str, subject: str) -> Sentence | None:
    """Time and memory in those of the plain method `base`, and the share of a pass that is run again."""
    here = at_one_depth(cases)
    here = here[here["problem"] == "deep_mlp"]
    found = here[((here["kind"] == kind) & here["default"]) | (here["kind"] == base)]
    if set(found["kind"]) != {kind, base}:
        return None
    rows = {row["kind"]: row for row in found.to_dict("records")}
    own, plain = rows[kind], rows[base]
    start = f"{subject} runs ", Cell(numbers.three(own["recomputed"]), case=own["case"])
    where = f" of a forward pass again at {own['steps']:.0f} layers; it takes "
    return (*start, where, *_time(own, plain), *_memory(own, plain), ".")


def _time(own: Mapping[Any, Any], plain: Mapping[Any, Any]) -> Sentence:
    """The ratio of times, beside that of the operations; nothing where it was not timed."""
    if pd.isna(own["ratio"]) or pd.isna(plain["ratio"]):
        return ()
    bracket = numbers.interval(own["ratio_low"] / plain["ratio"], own["ratio_high"] / plain["ratio"])
    expected = numbers.three(theory.time(own["recomputed"], own["first_layer_share"]))
    time = Cell(numbers.three(own["ratio"] / plain["ratio"]), bracket, own["case"])
    return time, f" times the time of {plain['kind']} ({expected} by matrix products alone) and "


def _memory(own: Mapping[Any, Any], plain: Mapping[Any, Any]) -> Sentence:
    """The ratio of peaks beside the gradient, with its formula where there is one, and with the gradient."""
    share = Cell(numbers.three(own["beside"] / plain["beside"]), case=own["case"])
    whole = Cell(numbers.three(own["peak_bytes"] / plain["peak_bytes"]), case=own["case"])
    predicted = formula(pd.DataFrame([own, plain]))
    known = (
        f"formula: {numbers.three(predicted.iloc[0] / predicted.iloc[1])}; "
        if predicted.notna().all()
        else ""
    )
    return share, f" of its memory beside the gradient ({known}", whole, " with the gradient)"


def revolve(cases: pd.DataFrame) -> Sentence | None:
    """Whether revolve's forward passes and states are the formula."""
    here = at_one_depth(cases)
    own = here[(here["kind"] == REVOLVE) & here["count"].notna()].sort_values("count")
    if own.empty:
        return None
    right = [_is_the_formula(row) for row in own.to_dict("records")]
    least = own.iloc[0]
    steps, count, *layer = (int(least[name]) for name in ("steps", "count", "width", "rows"))
    again = theory.with_states(steps, count)[1]
    held = theory.with_states_beside(steps, count, *layer) * least["state_bytes"]
    said = "all" if all(right) else f"{sum(right)} of {len(right)}"
    return (
        f"revolve at {least['steps']:.0f} layers makes the forward passes that its formula says in {said} "
        f"choices of stored states; with {least['count']:.0f} it makes ",
        Cell(numbers.three(least["forward"]), f"(formula {numbers.three(1 + again)})", least["case"]),
        " and holds ",
        Cell(numbers.si(least["beside"], "B"), case=least["case"]),
        f" beside the gradient (formula: {numbers.si(held, 'B')}).",
    )


def _is_the_formula(row: Mapping[Any, Any]) -> bool:
    _, again = theory.with_states(int(row["steps"]), int(row["count"]))
    return bool(abs(row["recomputed"] - again) <= 1e-9 * (1 + again))


def reversible(cases: pd.DataFrame) -> Sentence | None:
    """Memory from the shallowest to the deepest network, and the time."""
    own = next((group for group in series(cases) if group["kind"].iloc[0] == REVERSIBLE), None)
    if own is None:
        return None
    few, many = own.iloc[0], own.iloc[-1]
    here = at_one_depth(cases)
    timed = here[(here["kind"] == REVERSIBLE) & here["relative"].notna()]
    said: Sentence = (
        f"reversible_backprop holds beside the gradient, with {few['steps'] - 2:.0f} blocks, ",
        Cell(numbers.si(few["beside"], "B"), case=few["case"]),
        f", and with {many['steps'] - 2:.0f} ",
        Cell(numbers.si(many["beside"], "B"), case=many["case"]),
    )
    if timed.empty:
        return (*said, ".")
    row = timed.iloc[0]
    bracket = numbers.interval(row["relative_low"], row["relative_high"])
    time = Cell(numbers.three(row["relative"]), bracket, row["case"])
    return (*said, "; it takes ", time, " times the time of backprop on the same network.")
