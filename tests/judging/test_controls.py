"""Whether the controls show impostors that are faults, and speak up when the judge lets one pass."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.judging.comparing.impostors import impostors, length, one_off
from gradmark.judging.replicating import random_impostors
from gradmark.judging.stages import controls
from gradmark.judging.watching import forged
from tests.judging.fakes import heard_on

TRUTH = {"a": np.array([[3.0, -1.0]]), "b": np.array([2.0, 0.5])}
FROZEN = "frozen at the first point"
SMALL: dict[str, Any] = {"data": "synthetic", "widths": (4, 5, 3), "batch": 6}


def sizes(resolution: float, elsewhere: Any = None) -> dict[str, float]:
    return {
        each.fault.split(" by ")[0]: length({n: each.gradient[n] - TRUTH[n] for n in TRUTH}) / length(TRUTH)
        for each in impostors(TRUTH, resolution, elsewhere)
    }


def test_impostors_are_wrong_by_ten_times_the_resolution() -> None:
    found = sizes(1e-6, {name: -array for name, array in TRUTH.items()})
    assert found == pytest.approx(
        {
            "scaled": 1e-5,
            "one coordinate off": 1e-5,
            "zero": 1,
            "sign flipped": 2,
            "frozen at the first point": 2,
        }
    )


def test_what_is_no_fault_is_not_shown() -> None:
    assert set(sizes(1e-3, TRUTH)) == {"scaled", "one coordinate off", "zero", "sign flipped"}
    assert set(sizes(0.5)) == {"scaled", "one coordinate off"}


def test_the_wrong_coordinate_is_the_one_nearest_the_root_mean_square() -> None:
    changed = one_off(TRUTH, 1.0)
    assert float(changed["b"][0]) == 3.0
    assert np.array_equal(changed["a"], TRUTH["a"])


@pytest.mark.parametrize("name", ["backprop", "central_difference"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_impostors_of_a_deterministic_method_are_caught(name: str, dtype: str) -> None:
    problem = gradmark.get_problem("mlp", **SMALL, dtype=dtype)
    (found,) = controls.examine([heard_on(gradmark.get_method(name), problem)])
    assert found.status == "passed"
    assert "scaled" in found.reason and "frozen" in found.reason


def test_a_judge_who_sleeps_makes_the_verdict_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asleep:
        wrong = False

    monkeypatch.setattr(controls, "compared", lambda *_: Asleep)
    (found,) = controls.examine(
        [heard_on(gradmark.get_method("backprop"), gradmark.get_problem("mlp", **SMALL))]
    )
    assert found.status == "undecided"
    assert "let an impostor pass: scaled" in found.reason


def test_impostors_of_a_random_method_stand_before_its_statistical_decision() -> None:
    hearing = heard_on(gradmark.get_method("gaussian_es"), gradmark.get_problem("quadratic", size=12))
    (found,) = controls.examine([hearing])
    assert found.status == "passed"
    assert "after 256 estimates" in found.reason and "frozen" in found.reason


def test_impostors_of_a_method_that_takes_all_directions_are_larger_than_its_rounding() -> None:
    problem = gradmark.get_problem("quadratic", size=12)
    found = list(controls.examine([heard_on(gradmark.get_method("orthogonal_es"), problem)]))
    assert {each.status for each in found} == {"passed"}, found


def test_where_queries_are_seen_impostors_are_wrong_by_ten_times_what_those_show() -> None:
    problem = gradmark.get_problem("polynomial", size=100, degree=1)
    by_queries, by_estimates = controls.examine([heard_on(gradmark.get_method("gaussian_es"), problem)])
    assert by_queries.status == by_estimates.status == "passed"
    assert "by the queries of two calls" in by_queries.reason and "negated" in by_queries.reason
    shown = float(by_queries.reason.split("scaled by 1 + ")[1].split(",")[0])
    assert shown < 1e-6 < float(by_estimates.reason.split("scaled by 1 + ")[1].split(",")[0])


def test_the_problem_of_most_digits_is_where_impostors_by_their_queries_are_shown() -> None:
    narrow = gradmark.get_problem(
        "mlp",
        data="synthetic",
        widths=(5, 6, 6, 3),
        batch=8,
        activation="tanh",
        backend="torch",
        dtype="bfloat16",
    )
    problems = narrow, gradmark.get_problem("polynomial", size=100, degree=1)
    hearings = [heard_on(gradmark.get_method("spsa"), problem) for problem in problems]
    found = next(iter(controls.examine(hearings)))
    assert found.status == "passed" and found.where == hearings[1].where


def test_an_identification_that_sleeps_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forged, "_conviction", lambda *_: None)
    problem = gradmark.get_problem("polynomial", size=100, degree=1)
    found = next(iter(controls.examine([heard_on(gradmark.get_method("gaussian_es"), problem)])))
    assert found.status == "undecided" and "let an impostor pass: scaled, negated" in found.reason


def test_a_sleeping_statistical_decision_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = random_impostors.decide
    calls: list[Any] = []

    def asleep(sample: Any, *arguments: Any) -> Any:
        calls.append(sample)
        return honest(calls[0], *arguments)

    monkeypatch.setattr(random_impostors, "decide", asleep)
    hearing = heard_on(gradmark.get_method("gaussian_es"), gradmark.get_problem("quadratic", size=12))
    (found,) = controls.examine([hearing])
    assert found.status == "undecided"
