"""Whether the methods keep what they claim."""

from reports import numbers
from reports.answers.sentences import joined, listed
from reports.laws import Law, Slope
from reports.run import Run
from reports.table import Cell, Sentence

_MOST_NAMES = 6


def growth(run: Run) -> Sentence | None:
    """How many fitted exponents agree with the claims, and which don't."""
    every: list[Law | Slope] = [*run.slopes, *run.laws]
    fits = [fit for fit in every if fit.verdict != "no claim"]
    if not fits:
        return None
    agree, disagree = (sum(fit.verdict == verdict for fit in fits) for verdict in ("agrees", "disagrees"))
    text = f"Of {len(fits)} fitted exponents of evaluations and time {agree} agree with theory"
    text += f", {len(fits) - agree - disagree} can't tell and {disagree} disagree"
    wrong = dict.fromkeys(
        f"{fit.series.variant} ({fit.series.place}, {fit.series.scene.partition(' (')[0]})"
        for fit in fits
        if fit.verdict == "disagrees"
    )
    names = list(wrong)[:_MOST_NAMES] + (["others"] if len(wrong) > _MOST_NAMES else [])
    return (f"{text}: {listed(names)}." if wrong else f"{text}.",)


def work(run: Run) -> Sentence | None:
    """Whether the counted evaluations are the claimed ones."""
    both = run.cases[run.cases["evaluations"].notna() & run.cases["declared_evaluations"].notna()]
    if both.empty:
        return None
    wrong = both[both["evaluations"] != both["declared_evaluations"]]
    if wrong.empty:
        return (f"In all {len(both)} cases where evaluations were counted they are as many as claimed.",)
    parts: list[Sentence] = []
    for row in wrong.drop_duplicates("variant").to_dict("records"):
        claim = f"claimed {numbers.count(row['declared_evaluations'])}"
        parts.append((f"{row['variant']} ", Cell(numbers.count(row["evaluations"]), claim, row["case"])))
    start = f"In {len(wrong)} of {len(both)} cases the evaluations counted are not those claimed: "
    return (start, *joined(parts), ".")
