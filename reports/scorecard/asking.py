"""Ask a checker about a case."""

import contextlib
import io
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, MethodQuestion, Question
from reports.scorecard.checkers import checker as checker_of
from reports.scorecard.checkers.said import Said, first_line
from reports.scorecard.counting import MOST_EVALUATIONS, MOST_SECONDS, Counted, TooSlow
from reports.scorecard.outcome import Outcome, Result, outcome

LIMITED = frozenset({"torch_slow", "torch_fast", "jax", "hips", "scipy"})
"""Who is ended at the limits of `counting`. gradmark is not: its own limits are tested."""


def ask(name: str, case: Case) -> Result:
    """The result of one checker on one case."""
    module, question = checker_of(name), case.ask()
    with _quiet():
        blank = _blank(name, case, case.ask())
    if reason := module.refuses(question):
        return replace(blank, outcome="not applicable", reason=reason)
    counted = None
    if isinstance(question, Question):
        limits = (MOST_EVALUATIONS, MOST_SECONDS) if name in LIMITED else (None, None)
        counted = Counted(question.function, *limits)
        question = replace(question, function=counted)
    start = time.perf_counter()
    found, said = _asked(module, case, question, counted)
    spent = time.perf_counter() - start
    evaluations = said.evaluations if counted is None else counted.calls
    return replace(
        blank,
        outcome=found,
        right=found not in ("crashed", "too slow") and said.verdict in case.expected,
        reason=said.reason,
        digits=said.digits,
        smallest_detectable=said.smallest_detectable,
        evaluations=float("nan") if evaluations is None else float(evaluations),
        seconds=spent,
    )


def _blank(name: str, case: Case, question: Question | MethodQuestion) -> Result:
    return Result(
        case.name,
        case.what,
        case.kind,
        question.error(),
        question.size,
        question.dtype,
        name,
        "crashed",
        False,
    )


def _asked(
    module: ModuleType, case: Case, question: Question | MethodQuestion, counted: Counted | None
) -> tuple[Outcome, Said]:
    """A checker's `REJECTIONS` reject a wrong gradient as a verdict does; a correct one they do not serve."""
    try:
        with _quiet():
            said: Said = module.check(question)
        return outcome(case, said.verdict), said
    except TooSlow as error:
        return "too slow", Said("undecided", str(error))
    except Exception as error:  # whatever a checker lets through
        if counted is not None and counted.exceeded:
            return "too slow", Said("undecided", first_line(error))
        rejected = case.kind == "wrong" and isinstance(error, module.REJECTIONS)
        return ("caught" if rejected else "crashed"), Said("wrong", first_line(error))


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """Nothing that checkers or faulty gradients print or warn of reaches the terminal."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
