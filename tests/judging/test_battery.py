"""gradmark's own checkers before the whole battery: what the scorecard prints must not get worse."""

import functools

import numpy as np
import pytest

import gradmark
from reports.scorecard.asking import ask
from reports.scorecard.battery import battery
from reports.scorecard.battery.case import Case, Question
from reports.scorecard.outcome import Result
from reports.scorecard.tally import MOST_UNDECIDED, below_the_bar, tally

CASES = {case.name: case for case in battery()}
LEFT_UNDECIDED: dict[str, str] = {}
"""Wrong gradients that may be left undecided, each with the reason: at most `MOST_UNDECIDED`."""
MOST_EVALUATIONS = 200
"""What `check_gradient` may cost on a function of 1e5 parameters."""
MOST_EXTENDED = 40
"""The same where the function accepts extended precision."""


def counted(case: Case) -> bool:
    """Whether it is a wrong gradient whose error has a size; the breach of an agreement has none."""
    question = case.ask()
    return case.kind == "wrong" and isinstance(question, Question) and question.error() > 0


@functools.cache
def answer(name: str) -> Result:
    """What gradmark says of a case; each is asked once."""
    return ask("gradmark", CASES[name])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_case_gets_a_verdict_that_it_expects(case: Case) -> None:
    result = answer(case.name)
    allowed = case.name in LEFT_UNDECIDED and result.outcome == "undecided"
    assert result.right or allowed, f"{result.outcome}: {result.reason}"


def test_the_bar_is_met() -> None:
    results = [answer(name) for name in CASES]
    assert len(LEFT_UNDECIDED) <= MOST_UNDECIDED
    assert below_the_bar(results) == []
    counted = tally("gradmark", results)
    assert counted.asked_wrong >= 60 and counted.asked_correct >= 25
    assert counted.wrong["missed"] == counted.correct["accused"] == 0


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if counted(case)])
def test_each_fault_is_above_what_the_check_says_it_can_see(name: str) -> None:
    """Stated beforehand: of the true gradient, so that the fault has no say in it."""
    question = CASES[name].ask()
    assert isinstance(question, Question) and question.truth is not None
    with np.errstate(all="ignore"):
        stated = gradmark.check_gradient(question.function, question.truth, question.at, **question.options)
    assert stated.smallest_detectable is not None
    assert question.error() > stated.smallest_detectable


@pytest.mark.parametrize(
    "name",
    [name for name, case in CASES.items() if isinstance(case.ask(), Question) and case.ask().size >= 1e5],
)
def test_a_function_of_1e5_parameters_costs_few_evaluations(name: str) -> None:
    """All of these functions accept extended precision; a fault found may cost more, to say where it is."""
    limit = MOST_EXTENDED if CASES[name].kind == "correct" else MOST_EVALUATIONS
    assert 0 < answer(name).evaluations <= limit


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("awkward:relu-at-zero", "not differentiable"),
        ("awkward:absolute-at-zero", "not differentiable"),
        ("awkward:relu-float32", "not differentiable"),
        ("awkward:torch-bfloat16", "rounding"),
        ("awkward:norm-at-zero", "not differentiable"),
    ],
)
def test_what_is_left_undecided_is_so_for_the_right_reason(name: str, said: str) -> None:
    result = answer(name)
    assert result.outcome == "undecided" and said in result.reason
