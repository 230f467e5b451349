"""What the page says first, from the numbers of the run: what underflows, and whether the claims hold."""

from typing import Any

import pandas as pd

from reports import numbers
from reports.answers import scope
from reports.answers.sentences import joined
from reports.run import Run
from reports.studies.precision import cells, networks, zeros
from reports.studies.precision.costing import memory, speed
from reports.studies.precision.depths import with_first_layer
from reports.table import Cell, Sentence

_NARROW = ("float16", "bfloat16")


def lead(run: Run, cases: pd.DataFrame) -> list[tuple[str, Sentence]]:
    """A label and a sentence for each question that the run answers."""
    deep = [with_first_layer(networks.deepest(network)) for network in networks.deep(cases)[:1]]
    found: list[tuple[str, Sentence | None]] = [
        ("Measured", scope.what(run)),
        ("Finished", scope.how_many(run)),
    ]
    for network in deep:
        found += [
            ("Underflow", underflow(network)),
            ("Hidden by the norm", hidden(network)),
            ("Claim: half precision needs loss scaling", needs_scaling(network)),
            ("Claim: float32 is for the loss scale", master_copy(network)),
        ]
    found += [
        ("Law of zeros", law(cases)),
        ("Claim: half the memory", memory(cases)),
        ("Claim: 2 to 4 times as fast", speed(cases)),
    ]
    return [(label, said) for label, said in found if said is not None]


def underflow(network: pd.DataFrame) -> Sentence | None:
    """The share of entries that each 16-bit format turns into zeros, at the largest depth."""
    narrow = [row for row in network.to_dict("records") if row["precision"] in _NARROW]
    parts: list[Sentence] = [
        (f"{row['format']} ", Cell(cells.percent(value), case=row["case"]))
        for row in narrow
        if (value := cells.fraction(row)) is not None
    ]
    if not parts:
        return None
    start = f"Of all entries of the gradient of {_words(network)} these become zero and should not be: "
    return (start, *joined(parts), ".")


def hidden(network: pd.DataFrame) -> Sentence | None:
    """The case whose first layer is lost while the whole gradient looks best."""
    lost = network[(network["first_layer"] >= 0.5) & network["error"].notna()]
    if lost.empty:
        return None
    row = lost.sort_values("error").iloc[0].to_dict()
    return (
        "The error of the whole gradient does not show it: with ",
        f"{row['format']} it is ",
        Cell(numbers.three(row["error"]), case=row["case"]),
        ", that of the first layer ",
        Cell(numbers.three(row["first_layer"]), case=row["case"]),
        ".",
    )


def needs_scaling(network: pd.DataFrame) -> Sentence | None:
    """Zeros with and without a scale, in both 16-bit formats."""
    bare, wide = (
        networks.one(network, precision=name, kind="mixed", scaling="none")
        for name in ("float16", "bfloat16")
    )
    mixed = network[(network["precision"] == "float16") & (network["kind"] == "mixed")]
    scaled = [row for row in mixed.to_dict("records") if row["scaling"] != "none" and _zeros(row) is not None]
    if bare is None or _zeros(bare) is None or not scaled:
        return None
    best = min(scaled, key=lambda row: (_zeros(row), row["error"]))
    verdict = "holds" if _value(bare) > _value(best) else "not confirmed here"
    said: Sentence = (
        f"for float16 it {verdict}: " if verdict == "holds" else f"for float16 {verdict}: ",
        _cell(bare), " of the entries underflow without a scale, ", _cell(best), f" with {_short(best)}",
    )  # fmt: skip
    if _value(best) > cells.BY_CHANCE:
        said += (" (a scale moves the end of the format, it does not remove it)",)
    if wide is not None and _zeros(wide) is not None:
        refuted = (
            "for bfloat16 it is refuted: "
            if _value(wide) <= cells.BY_CHANCE
            else "for bfloat16 it holds as well: "
        )
        said += ("; ", refuted, _cell(wide), " without any scale")
    return (*said, ".")


def master_copy(network: pd.DataFrame) -> Sentence | None:
    """What a scale does where nothing underflows: nothing; float32 holds parameters and sums instead."""
    bare = networks.one(network, precision="float16", kind="mixed", scaling="none")
    scaled = networks.one(network, precision="float16", kind="mixed", scaling="dynamic")
    if bare is None or scaled is None or pd.isna(bare["error"]) or pd.isna(scaled["error"]):
        return None
    # A network whose norm lies in its last layers: those never underflow, and a power of two rounds nothing.
    same = abs(bare["error"] - scaled["error"]) <= 0.01 * scaled["error"]
    verdict = "refuted" if same else "not decided here"
    return (
        f"{verdict}: the loss scale is one number, and as a power of two it rounds nothing: the whole "
        "gradient is off by ",
        Cell(numbers.three(bare["error"]), case=bare["case"]),
        " without it and by ",
        Cell(numbers.three(scaled["error"]), case=scaled["case"]),
        " with it. What is in float32 is the master copy of the parameters, the loss and the sums. That an "
        "update below 2⁻¹¹ of its weight is lost without a master copy shows in steps, which are not "
        "measured here.",
    )


def law(cases: pd.DataFrame) -> Sentence | None:
    """How far the measured fractions are from the law's."""
    found = zeros.of_law(cases)
    if found.empty:
        return None
    off = (found["underflowed"] - found["predicted"]).abs()
    worst = found.assign(off=off).sort_values("off").iloc[-1]
    return (
        f"The fraction of zeros of {len(found)} bias gradients at {found['start'].nunique()} loss scales is "
        f"that of normal numbers, erf(2⁻²⁵ / (s S √2)), to {100 * off.mean():.2g} percentage points on "
        "average; the furthest is ",
        Cell(cells.percent(worst["underflowed"]), case=worst["case"]),
        f" where the law says {cells.percent(worst['predicted'])}.",
    )


def _words(network: pd.DataFrame) -> str:
    return f"{network['network'].iloc[0]} with {network['hidden'].iloc[0]:.0f} hidden layers"


def _zeros(row: dict[Any, Any]) -> float | None:
    return cells.fraction(row)


def _value(row: dict[Any, Any]) -> float:
    return _zeros(row) or 0.0


def _cell(row: dict[Any, Any]) -> Cell:
    return Cell(cells.percent(_value(row)), case=row["case"])


def _short(row: dict[Any, Any]) -> str:
    """The scale without the method: "scale from 2¹⁶"."""
    return str(row["format"]).rpartition(", ")[2]
