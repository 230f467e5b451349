"""The battery is what it says: correct gradients are correct, wrong ones are wrong by more than rounding."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from gradmark.dtypes import epsilon
from reports.scorecard.battery import battery
from reports.scorecard.battery.case import Case, Question, Value, arrays_of, copied, flat, relative_error

CASES = battery()
QUESTIONS = {case.name: case for case in CASES if isinstance(case.ask(), Question)}
NO_SIZE = frozenset({"contract:writes-argument", "contract:restores-argument", "contract:shape"})
"""Faults whose numbers are right."""
ROUGH = frozenset({"awkward:noise-1e-9", "awkward:float32-inside", "awkward:solver-8-digits"})
"""Functions that carry no extended precision; their formulas are those of sin and of a linear solve."""
IN_DOUBLE = frozenset({"operation:solve"})
"""NumPy solves no linear systems in extended precision."""
WITHOUT_GRADIENT = frozenset({"awkward:relu-at-zero", "awkward:absolute-at-zero", "awkward:norm-at-zero"})


def test_the_battery_is_large_and_each_case_has_its_own_name() -> None:
    kinds = Counter(case.kind for case in CASES)
    assert kinds["wrong"] >= 60 and kinds["correct"] >= 25
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.what for case in CASES)


def test_it_reaches_from_3_parameters_to_1e5_in_both_dtypes() -> None:
    asked = [case.ask() for case in QUESTIONS.values() if case.kind == "wrong"]
    assert {question.size for question in asked} >= {3, 1_000, 100_000}
    assert {question.dtype for question in asked} >= {"float64", "float32"}


@pytest.mark.parametrize("name", [name for name, case in QUESTIONS.items() if case.kind == "wrong"])
def test_a_wrong_gradient_is_wrong_by_more_than_its_dtype_rounds(name: str) -> None:
    question = QUESTIONS[name].ask()
    assert isinstance(question, Question)
    error = question.error()
    if name in NO_SIZE:
        assert error == 0
    elif math.isnan(error):
        assert name.startswith("contract:")
    else:
        assert error > 100 * epsilon(question.dtype)


@pytest.mark.parametrize("name", [name for name, case in QUESTIONS.items() if case.kind == "correct"])
def test_a_correct_gradient_is_its_truth(name: str) -> None:
    question = QUESTIONS[name].ask()
    assert isinstance(question, Question)
    assert question.error() <= 10 * epsilon(question.dtype)


def smooth_in_extended_precision(case: Case) -> bool:
    question = case.ask()
    assert isinstance(question, Question)
    numpy = all(isinstance(array, np.ndarray) for array in arrays_of(question.at))
    return numpy and question.truth is not None and case.name not in ROUGH | WITHOUT_GRADIENT


@pytest.mark.parametrize(
    "name", [name for name, case in QUESTIONS.items() if smooth_in_extended_precision(case)]
)
def test_every_truth_is_the_derivative_by_differences_in_extended_precision(name: str) -> None:
    """Along a random direction scaled to each entry; two steps say how far the difference can be trusted."""
    question = QUESTIONS[name].ask()
    assert isinstance(question, Question) and question.truth is not None
    wide = np.longdouble if question.dtype == "float64" and name not in IN_DOUBLE else np.float64
    at = mapped(lambda array: array.astype(wide), question.at)
    random = np.random.default_rng(9)
    direction = mapped(lambda array: scale(array) * random.choice([-1.0, 1.0], array.shape), at)
    step = 2.0**-20
    fine, coarse = slope(question, at, direction, step), slope(question, at, direction, 2 * step)
    g, v = flat(question.truth(copied(question.at))), flat(direction)
    in_g = 1e3 * epsilon(question.dtype) * float(np.abs(g) @ np.abs(v))
    in_f = 10 * float(np.finfo(wide).eps) * float(abs(question.function(at))) / step
    assert abs(float(g @ v - fine)) <= 10 * abs(float(fine - coarse)) + in_g + in_f


def scale(array: Any) -> Any:
    """A tenth of each entry's size, so that no domain is left; of an entry that is zero, a tenth."""
    return np.where(array == 0, 0.1, np.abs(array) / 10)


def mapped(function: Any, value: Value) -> Value:
    if isinstance(value, dict):
        return {name: function(array) for name, array in value.items()}
    return function(value)


def slope(question: Question, at: Value, direction: Value, step: float) -> Any:
    """(f(x + h v) - f(x - h v)) / 2h."""
    ends = []
    for sign in (1, -1):
        if isinstance(at, dict):
            ends.append(question.function({n: a + sign * step * direction[n] for n, a in at.items()}))
        else:
            ends.append(question.function(at + sign * step * direction))
    return (np.longdouble(ends[0]) - np.longdouble(ends[1])) / (2 * np.longdouble(step))


def test_the_relative_error_tells_nothing_from_something() -> None:
    true = {"a": np.array([3.0, 0.0]), "b": np.array([4.0])}
    assert relative_error(true, true) == 0
    assert relative_error({"a": np.array([3.0, 1.0]), "b": np.array([4.0])}, true) == pytest.approx(0.2)
    assert relative_error({"a": np.array([3.0, np.nan]), "b": np.array([4.0])}, true) == math.inf
    assert math.isnan(relative_error({"a": np.array([3.0])}, true))
