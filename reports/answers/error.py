"""How wrong a gradient is."""

from typing import Any

import pandas as pd

from reports import numbers, theory
from reports.answers.selection import first_scene, reference
from reports.answers.sentences import joined
from reports.run import Run
from reports.table import Cell, Sentence


def precise(run: Run) -> Sentence | None:
    """The correct digits of the methods that are not random, in each dtype; exact methods together."""
    cases, size = first_scene(run), reference(run)
    cases = cases[~cases["stochastic"] & cases["digits"].notna() & (cases["P"] == size)]
    if cases.empty or size is None:
        return None
    parts: list[Sentence] = []
    for dtype in sorted(set(cases["dtype"]), reverse=True):
        here = cases[cases["dtype"] == dtype].sort_values("digits")
        exact = here[here["exactness"] == "exact"].to_dict("records")
        others = here[here["exactness"] != "exact"].drop_duplicates("variant").to_dict("records")
        found = [_together(exact)] if exact else []
        found += [(f"{row['variant']} ", _digits(row)) for row in reversed(others)]
        parts.append((f"in {dtype} ", *joined(found)))
    return (f"Correct digits at P = {numbers.count(size)}: ", *joined(parts, between="; ", last="; "), ".")


def _together(exact: list[dict[Any, Any]]) -> Sentence:
    """The least and most exact of those that claim to be exact."""
    low, high = exact[0], exact[-1]
    if len({row["variant"] for row in exact}) == 1:
        return (f"{low['variant']} ", _digits(low))
    if _digits(low).text == _digits(high).text:
        return ("the exact methods ", _digits(low))
    return (
        "the exact methods ",
        _digits(low),
        f" ({low['variant']}) to ",
        _digits(high),
        f" ({high['variant']})",
    )


def _digits(row: dict[Any, Any]) -> Cell:
    return Cell(f"{row['digits']:.1f}", case=row["case"])


def stochastic(run: Run) -> Sentence | None:
    """The cosine of the random methods beside theory's."""
    cases, size = first_scene(run), reference(run)
    cases = cases[cases["stochastic"] & cases["cosine"].notna() & (cases["P"] == size)]
    if cases.empty or size is None:
        return None
    parts: list[Sentence] = []
    for row in cases.drop_duplicates("variant").to_dict("records"):
        bracket = numbers.interval(row["cosine_low"], row["cosine_high"])
        samples = f" from {row['samples']:.0f} {row['samples_field']}" if pd.notna(row["samples"]) else ""
        claim = row["predicted_cosine"]
        theory = "" if pd.isna(claim) else f" (theory {numbers.three(claim)})"
        cell = Cell(numbers.three(row["cosine"]), bracket, row["case"])
        parts.append((f"{row['variant']} ", cell, f"{samples}{theory}"))
    return (f"Cosine with the gradient at P = {numbers.count(size)}: ", *joined(parts), ".")


def best_step(run: Run) -> Sentence | None:
    """The best step measured in each sweep of steps."""
    cases = run.cases
    swept = cases[cases["sweep"].notna() & (cases["sweep"] == cases["step_field"]) & cases["error"].notna()]
    if swept.empty:
        return None
    rows = swept.loc[swept.groupby(["name", "dtype"], sort=False)["error"].idxmin()].to_dict("records")
    parts: list[Sentence] = [
        (
            f"{row['name']} in {row['dtype']} ",
            Cell(numbers.three(row["sweep_value"]), case=row["case"]),
            f" (error {numbers.three(row['error'])})",
        )
        for row in rows
    ]
    return ("The best of the steps tried: ", *joined(parts), ".")


def accused(run: Run) -> Sentence | None:
    """Methods that claim to be exact and are off by more than rounding explains."""
    limits = run.cases["dtype"].map(largest_rounding)
    wrong = run.cases[(run.cases["exactness"] == "exact") & (run.cases["error"] > limits)]
    if wrong.empty:
        return None
    worst = wrong.sort_values("error", ascending=False).drop_duplicates("variant").to_dict("records")
    parts: list[Sentence] = [
        (f"{row['variant']} ", Cell(numbers.three(row["error"]), "", row["case"])) for row in worst
    ]
    return ("Exact by their own claim, but off by more than rounding explains: ", *joined(parts), ".")


def largest_rounding(dtype: str) -> float:
    """The relative error that rounding may leave to an exact method: 2^10 units of its dtype.

    Exact methods are seen within some ten units on networks; what is left covers badly conditioned losses.
    Never more than 1/2, which in half precision is what the units come to.
    """
    return min(2**10 * (theory.epsilon(dtype) or 0.0), 0.5)
