"""The references inside check_gradient: what they say of functions whose slopes are known."""

from typing import Any

import numpy as np
import pytest

from gradmark import check_gradient
from gradmark.judging.checking.arithmetic import arithmetic
from gradmark.judging.checking.kink import jump
from gradmark.judging.checking.line import Line
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Objective, scalar
from gradmark.judging.checking.slopes import COMPLEX, careful, learn, quick, second
from gradmark.judging.checking.space import space_of
from gradmark.judging.checking.spot import Spot
from gradmark.judging.checking.trouble import trouble
from gradmark.judging.clock import Clock
from gradmark.reference.ladder import RATIO

STEPS = RATIO ** -np.arange(2.0, 14.0)


def spot(function: Any, at: Any) -> Spot:
    space, x = space_of(at)
    objective = Objective(function, space, Meter(Clock()), scalar)
    return Spot(objective, arithmetic(objective, x), x, None)


def sides(function: Any, at: float) -> Any:
    plus, minus = (function(np.longdouble(at) + side * STEPS) for side in (1, -1))
    return jump(plus, minus, function(np.longdouble(at)), STEPS, 1e-19 / STEPS)


def test_a_kink_at_the_point_is_measured() -> None:
    assert sides(np.abs, 0.0).size == pytest.approx(2) and sides(np.abs, 0.0).crossed == 0
    assert sides(lambda t: np.maximum(t, 3 * t) + np.sin(t), 0.0).size == pytest.approx(2)


@pytest.mark.parametrize("function", [np.sin, np.exp, lambda t: t**4, lambda t: 1e6 + np.cos(3 * t)])
def test_smooth_functions_have_none(function: Any) -> None:
    assert sides(function, 0.3).size == 0


def test_steps_that_cross_a_kink_beside_the_point_are_counted() -> None:
    found = sides(lambda t: np.abs(t - 1e-4), 0.0)
    assert found.crossed > 0
    assert np.all(STEPS[found.crossed :] < 1e-4) and STEPS[found.crossed - 1] > 1e-4


def test_an_oscillation_that_looks_still_at_all_steps_is_seen_through() -> None:
    """With a period that divides all long steps, differences over them agree on the wrong slope."""
    unit = 1.0
    frequency = (
        2 * np.pi * 1024 + 0.01
    )  # of the longest five steps, from 1/8 to 1/2048, most are whole periods

    def along(t: float) -> Any:
        return np.sin(np.longdouble(frequency) * t)

    line = Line(along, np.longdouble(0), unit, 1e-19, True)
    found = line.long()
    assert abs(float(found.value) - frequency) < 1e-6 * frequency


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda x: np.sum(np.sin(x)), np.cos),
        (lambda x: 1e9 + np.sum(np.sin(x)), np.cos),
        (lambda x: np.sum(np.where(x > 0, x, 0 * x)), lambda x: 1.0 * (x > 0)),
        (lambda x: float(np.sum(np.exp(x))), np.exp),
    ],
    ids=["sine", "offset", "relu", "float64 only"],
)
def test_both_references_are_right_within_their_errors(function: Any, slope: Any) -> None:
    at = np.array([0.3, -1.2, 2.5])
    v = np.array([1.0, -0.5, 0.75], np.longdouble)
    truth = float(np.sum(slope(at.astype(np.longdouble)) * v))
    here = spot(function, at)
    learnt, cheap = learn(here, v), quick(here, v)
    for found in (learnt, cheap, second(here, v, cheap), careful(here, v, thorough=True)):
        assert abs(float(found.value) - truth) <= 4 * found.error + 1e-15 * abs(truth)


def test_the_complex_step_needs_a_function_that_carries_it() -> None:
    at = np.array([0.3, -1.2])
    v = np.ones(2, np.longdouble)
    assert quick(spot(lambda x: np.sum(x**3), at), v).source == COMPLEX
    assert quick(spot(lambda x: np.sum(np.abs(x) ** 3), at), v).source != COMPLEX


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: 1e15 + float(np.sum(np.sin(x))), "rounding"),
        (lambda x: float(np.sum(np.sin(1e9 * x))), "truncation"),
        (lambda x, r=np.random.default_rng(0): float(np.sum(x)) + r.normal(), "noise in f"),  # noqa: B008
        (lambda x: float(np.abs(x - 1).sum()), "a kink within the step"),
        (lambda x: float(np.sum(np.sqrt(x - 1))), "domain edge"),
    ],
    ids=["rounding", "truncation", "noise", "kink", "edge"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_why_differences_are_no_good_is_said_in_words(function: Any, said: str) -> None:
    here = spot(function, np.ones(1))
    found = careful(here, np.ones(1, np.longdouble), thorough=True)
    assert trouble(here, found).startswith(said)


def test_a_function_that_rounding_has_made_flat_is_not_known_to_have_no_slope() -> None:
    """The cross entropy of sure logits is 0 to the last bit, and its gradient is not."""

    def entropy(x: Any) -> float:
        return float(x.max() + np.log(np.sum(np.exp(x - x.max()))) - x[0])

    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max())
        return e / e.sum() - np.array([1.0, 0.0])

    at = np.array([37.0, 0.0])
    assert entropy(at) == 0 and softmax(at)[1] > 0
    assert check_gradient(entropy, softmax, at).verdict != "wrong"
