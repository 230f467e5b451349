"""The scorecard as tables: one line for each checker, for each class of faults, for each case."""

from collections.abc import Sequence

import pandas as pd

from reports import numbers
from reports.scorecard.checkers import checker
from reports.scorecard.outcome import Outcome, Result
from reports.scorecard.record import Scorecard
from reports.scorecard.tally import Tally, tally
from reports.table import Cell, Table

_WRONG: tuple[Outcome, ...] = ("caught", "missed", "undecided", "too slow")
_CORRECT: tuple[Outcome, ...] = ("accepted", "accused", "undecided", "too slow", "crashed")
_KINDS = {
    "caught": "good", "accepted": "good", "missed": "bad", "accused": "bad", "crashed": "bad",
    "undecided": "unsure", "too slow": "unsure", "not applicable": "muted",
}  # fmt: skip
_CAPTION = (
    "Each checker with its default settings, on the cases that it can be asked about: peers check gradients, "
    "not gradient methods, and those for NumPy functions none of torch; such cases are “not applicable”, "
    "not among the N of “of N”. An exception from a peer counts as a rejection. scipy returns a norm: the "
    "criterion is |difference| ≤ 1e-5 |gradient|. “Too slow” is more than 5000 evaluations for one case. "
    "Evaluations are the median over gradients, seconds the sum over all cases."
)
_CASES = (
    "The error is |g − truth| / |truth| (2-norms) at the point that is asked about, or at another where it "
    "does not show there; – where it is no matter of size. The reason a checker gave is shown on hovering."
)


def summary(scorecard: Scorecard) -> Table:
    """One line for each checker."""
    counted = [tally(name, scorecard.results) for name in scorecard.checkers]
    columns = [
        "checker",
        *(f"wrong gradients|{name}" for name in (*_WRONG, "not applicable")),
        *(f"correct gradients|{name}" for name in (*_CORRECT, "not applicable")),
        "cost|evaluations",
        "cost|seconds",
    ]
    rows = [_line(each) for each in counted]
    data = pd.DataFrame([[str(cell) for cell in row] for row in rows], columns=pd.Index(columns))
    return Table("scorecard", "Scorecard", _CAPTION, columns, rows, data)


def _line(each: Tally) -> list[Cell]:
    wrong = [_count(each.wrong[name], name) for name in (*_WRONG, "not applicable")]
    correct = [_count(each.correct[name], name) for name in (*_CORRECT, "not applicable")]
    wrong[0] = Cell(str(each.wrong["caught"]), f"of {each.asked_wrong}", kind="number")
    correct[0] = Cell(str(each.correct["accepted"]), f"of {each.asked_correct}", kind="number")
    cost = [Cell(numbers.three(each.evaluations), kind="number"), Cell(f"{each.seconds:.1f}", kind="number")]
    return [Cell(title(each.checker)), *wrong, *correct, *cost]


def _count(number: int, name: str) -> Cell:
    return Cell(str(number), kind=f"number {_KINDS[name] if number else 'muted'}")


def title(name: str) -> str:
    """A checker's name in words."""
    return str(checker(name).TITLE)


def classes(scorecard: Scorecard) -> Table:
    """One line for each class of cases: how many each checker answered rightly of those it was asked."""
    groups = list(dict.fromkeys(_class(result) for result in scorecard.results))
    columns = ["class", "cases", *(title(name) for name in scorecard.checkers)]
    rows = [_class_line(group, scorecard) for group in groups]
    data = pd.DataFrame([[str(cell) for cell in row] for row in rows], columns=pd.Index(columns))
    caption = "Right answers of the cases asked about: a wrong gradient caught, a correct one not accused."
    return Table("classes", "Classes of cases", caption, columns, rows, data)


def _class(result: Result) -> str:
    return result.case.partition(":")[0]


def _class_line(group: str, scorecard: Scorecard) -> list[Cell]:
    own = [result for result in scorecard.results if _class(result) == group]
    cells = [Cell(group), Cell(str(len({result.case for result in own})), kind="number")]
    for name in scorecard.checkers:
        asked = [each for each in own if each.checker == name and each.outcome != "not applicable"]
        right = sum(each.right for each in asked)
        kind = "muted" if not asked else "good" if right == len(asked) else "bad"
        cells.append(Cell(f"{right} of {len(asked)}" if asked else numbers.DASH, kind=f"number {kind}"))
    return cells


def cases(scorecard: Scorecard) -> Table:
    """One line for each case: what is wrong with it, how large the error is, and what each checker said."""
    by_case: dict[str, list[Result]] = {}
    for result in scorecard.results:
        by_case.setdefault(result.case, []).append(result)
    columns = ["case", "what", "P", "dtype", "error", *(title(name) for name in scorecard.checkers)]
    rows = [_case_line(results, scorecard.checkers) for results in by_case.values()]
    return Table("scorecard-cases", "Cases", _CASES, columns, rows, pd.DataFrame(scorecard.results))


def _case_line(results: Sequence[Result], checkers: Sequence[str]) -> list[Cell]:
    first, said = results[0], {result.checker: result for result in results}
    return [
        Cell(first.case),
        Cell(first.what),
        Cell(numbers.count(first.size) if first.size else numbers.DASH, kind="number"),
        Cell(first.dtype),
        Cell(numbers.three(first.error, 2), kind="number"),
        *(_outcome(said[name]) if name in said else Cell(numbers.DASH) for name in checkers),
    ]


def _outcome(result: Result) -> Cell:
    return Cell(result.outcome, note=result.reason, kind=_KINDS[result.outcome])
