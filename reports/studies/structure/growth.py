"""Counted work and time by P: their exponents beside those of theory."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reports import cells, laws, numbers, theory
from reports.figure import Figure
from reports.labels import End, label_ends
from reports.run import Run
from reports.style import Look, grid, log_log
from reports.table import Cell, Table

COLOURS = {
    "central_difference": "#D55E00", "weight_difference": "#E69F00", "node_difference": "#AA4499",
    "divided_difference": "#CC6677", "tangent": "#009E73", "jvp": "#009E73", "node_tangent": "#44AA99",
    "backprop": "#0072B2", "autograd": "#56B4E9",
}  # fmt: skip
_CAPTION = (
    "Exponents k of P^k, at fixed depth and batch, with 95 % intervals, beside theory. Passes: evaluations, "
    "tangent passes and pullbacks as counted: 1 for a method that moves each weight, 1/2 for one that moves "
    "each node, 0 for reverse mode. Work: passes times the FLOPs of one, so 2, 1.5 and 1; a pass "
    "behind a moved "
    "weight or node counts as a whole one. Time: t = a + b P^k."
)
_DATA = ["case", "variant", "family", "black_box", "place", "P", "time", "passes_of", "flops"]


def of_run(run: Run) -> pd.DataFrame:
    """The finished cases with ``passes_of`` (all passes counted), ``flops`` (times those of one) by P."""
    cases = run.cases[run.cases["status"] == "done"].copy()
    details = [detail or {} for detail in cases["passes_detail"]]
    counts = [sum(float(each.get(k) or 0) for k in ("forward", "tangent", "pullback")) for each in details]
    cases["passes_of"] = pd.Series(counts, cases.index, dtype=float).replace(0.0, np.nan)
    flops = [(detail or {}).get("forward_flops", np.nan) for detail in cases["detail"]]
    cases["flops"] = pd.Series(flops, cases.index, dtype=float) * cases["passes_of"]
    cases["passes_claimed"] = [((d or {}).get("growth") or {}).get("passes", np.nan) for d in cases["detail"]]
    return cases.sort_values(["place", "passes_claimed", "family", "variant", "P"], ascending=[
        True, False, True, True, True,
    ], kind="stable")  # fmt: skip


def methods(found: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The cases of each method at each place, at several sizes."""
    for _, group in found.groupby(["place", "variant"], sort=False):
        if group["P"].nunique() > 2:
            yield group


def build(found: pd.DataFrame) -> list[Table]:
    """One table, or none where there are too few sizes."""
    rows = [_row(group) for group in methods(found)]
    if not rows:
        return []
    columns = ["method", "where", "growth with P|passes", "growth with P|work (FLOPs)", "growth with P|time"]
    columns += ["largest P|P", "largest P|passes", "largest P|time"]
    return [Table("structure-growth", "Growth with P", _CAPTION, columns, rows, found[_DATA])]


def _row(group: pd.DataFrame) -> list[Cell]:
    last, claimed = group.iloc[-1], group["passes_claimed"].iloc[0]
    law, reason = laws.fitted(group["P"].tolist(), group["time"].tolist())
    time = Cell(numbers.DASH, reason, kind="number muted")
    if law is not None:
        text = numbers.exponent(law.exponent, law.low, law.high).partition(" ")
        time = Cell(text[0], f"{text[2]}\ntheory {claimed + 1:g}", last["case"], kind="number")
    return [
        cells.method(last), Cell(last["place"]), _exponent(group, "passes_of", claimed),
        _exponent(group, "flops", claimed + 1), time, Cell(numbers.count(last["P"]), kind="number"),
        Cell(numbers.count(last["passes_of"]), case=last["case"], kind="number"),
        Cell(numbers.si(last["time"], "s"), case=last["case"], kind="number"),
    ]  # fmt: skip


def _exponent(group: pd.DataFrame, column: str, claimed: float) -> Cell:
    known = group[group[column].notna()]
    if len(known) < 3:
        return cells.NOTHING
    found = laws.slope(known["P"].tolist(), known[column].tolist())
    value, _, bracket = numbers.exponent(*found).partition(" ")
    return Cell(value, f"{bracket}\ntheory {claimed:g}", str(known["case"].iloc[-1]), kind="number")


def draw(found: pd.DataFrame) -> Figure | None:
    """Counted work and time over P at the first place, theory's slopes dashed; None with too few sizes."""
    groups = list(methods(found[found["flops"].notna() & found["time"].notna()]))
    if not groups:
        return None
    own = [group for group in groups if group["place"].iloc[0] == groups[0]["place"].iloc[0]]
    canvas, axes = grid(2, columns=1, height=3.9, share=False)
    names = {"flops": "counted work (FLOPs)", "time": "time (s)"}
    ends: dict[object, list[End]] = {}
    for panel, (column, name) in zip(axes, names.items(), strict=True):
        log_log(panel)
        panel.set(xlabel="parameters P", ylabel=name)
        ends[panel] = []
        for group in own:
            known, variant = group[group[column].notna()], str(group["variant"].iloc[0])
            look = Look(COLOURS.get(variant, "#555555"), "s" if group["black_box"].iloc[0] else "o")
            panel.plot(known["P"], known[column], look.marker, color=look.colour, zorder=3)
            last = known.tail(2) if column == "time" else known
            at = np.array([known["P"].min(), known["P"].max()])
            sizes, values = last["P"].to_numpy(float), last[column].to_numpy(float)
            line = theory.through(sizes, values, float(group["passes_claimed"].iloc[0]) + 1, at)
            panel.plot(at, line, "--", color=look.colour, linewidth=0.9, zorder=1)
            ends[panel].append(End(float(at[-1]), float(line[-1]), variant, look.colour))
        low, high = own[0][column].min(), max(group[column].max() for group in own)
        low = min(group[column].min() for group in own)
        panel.set_ylim(low / 3, high * 5)
    label_ends(canvas, ends)  # type: ignore[arg-type]
    caption = (
        "Squares: black-box methods; circles: structured ones. Dashed: theory's slope (2 with a "
        "pass for each "
        "weight, 1.5 for each node, 1 for reverse mode), through all counts, and through the two largest "
        "times, since a fixed cost for each call flattens the others."
    )
    title = f"Cost against P: {own[0]['place'].iloc[0]}"
    return Figure("structure-cost", title, caption, canvas, found[_DATA])
