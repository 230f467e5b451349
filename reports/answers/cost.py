"""What a gradient costs."""

from reports import numbers
from reports.answers.selection import first_scene, reference
from reports.answers.sentences import joined
from reports.run import Run
from reports.series import main_dtype, main_place, reference_size
from reports.style import family_order
from reports.table import Cell, Sentence


def cheapest(run: Run) -> Sentence | None:
    """The cheapest method of each family, where most methods ran, at the largest size most reached."""
    cases = first_scene(run)
    cases = cases[cases["ratio"].notna()]
    if cases.empty:
        return None
    cases = cases[cases["place"] == main_place(cases)]
    cases = cases[cases["dtype"] == main_dtype(cases)]
    here = cases[cases["P"] == reference_size(cases, "ratio")].sort_values("ratio")
    best = here.drop_duplicates("family").to_dict("records")
    parts: list[Sentence] = []
    for row in sorted(best, key=lambda row: family_order(row["family"])):
        bracket = numbers.interval(row["ratio_low"], row["ratio_high"])
        cell = Cell(numbers.three(row["ratio"]), bracket, row["case"])
        parts.append((f"{row['variant']} ({row['family']}) ", cell))
    first = here.iloc[0]
    where = f"P = {numbers.count(first['P'])} ({first['place']}, {first['dtype']})"
    start = f"Cost of a gradient in forward passes at {where}"
    which = ", the cheapest method of each family: " if len(parts) > 1 else ": "
    return (start + which, *joined(parts), ".")


def largest(run: Run) -> Sentence | None:
    """What still finished at the largest size."""
    cases = first_scene(run)
    size = cases["P"].max()
    there = cases[(cases["P"] == size) & (cases["status"] == "done") & cases["ratio"].notna()]
    if there.empty or size == reference(run):
        return None
    best = there.sort_values("ratio").drop_duplicates("variant").to_dict("records")
    parts: list[Sentence] = [
        (f"{row['variant']} ", Cell(numbers.three(row["ratio"]), case=row["case"]), f" ({row['place']})")
        for row in best
    ]
    start = f"At P = {numbers.count(size)}, the largest size, these finished, in forward passes: "
    return (start, *joined(parts), ".")
