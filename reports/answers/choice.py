"""Which method to use."""

from reports import numbers
from reports.answers.selection import first_scene, reference
from reports.answers.sentences import joined
from reports.frontier import on_frontier
from reports.run import Run
from reports.series import main_dtype
from reports.table import Cell, Sentence


def best(run: Run) -> Sentence | None:
    """The methods on the frontier of time and error."""
    cases, size = first_scene(run), reference(run)
    here = cases[(cases["time"] > 0) & cases["error_drawn"].notna() & (cases["P"] == size)]
    if here.empty or size is None:
        return None
    dtype = main_dtype(here)
    here = here[here["dtype"] == dtype].sort_values("time")
    front = here[on_frontier(here["time"].to_numpy(float), here["error_drawn"].to_numpy(float), dtype)]
    parts: list[Sentence] = []
    for row in front.to_dict("records"):
        time = Cell(numbers.si(row["time"], "s"), case=row["case"])
        parts.append(
            (f"{row['variant']} on {row['place']} (", time, f", error {numbers.three(row['error'])})")
        )
    where = f"P = {numbers.count(size)} in {dtype}"
    return (
        f"The frontier of time and error at {where}: none is both faster and more exact than ",
        *joined(parts),
        ".",
    )
