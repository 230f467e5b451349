"""Finite differences: orders of convergence, what they evaluate, and the traps of coordinate-wise steps."""

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, epsilon, installed
from gradmark.problem import Problem
from gradmark.vector_function import vector_problem
from gradmark.work import counting
from tests.methods.cases import CASES, cases_of, flat, reference, relative_error, rounding

SMOOTH = ("mlp tanh mse", "mlp softplus cross_entropy", "logistic regression", "rosenbrock", "polynomial")
# Steps at which truncation is far above rounding (h^2 >= 1e-6 against 1e-16 / h) and far below saturation.
STEPS = np.geomspace(1e-3, 1e-2, 5)


def errors(name: str, problem: Problem, steps: Any) -> list[float]:
    exact = reference(problem)
    found = [gradmark.get_method(name, step=float(step)).prepare(problem) for step in steps]
    return [relative_error(function(problem.parameters).gradient, exact) for function in found]


@pytest.mark.parametrize("case", SMOOTH)
@pytest.mark.parametrize(("name", "order"), [("forward_difference", 1), ("central_difference", 2)])
def test_the_error_falls_with_the_declared_power_of_the_step(name: str, order: int, case: str) -> None:
    problem = CASES[case](Arrays())
    claimed = gradmark.get_method(name).claims.exactness
    slope = np.polyfit(np.log(STEPS), np.log(errors(name, problem, STEPS)), 1)[0]
    assert claimed.order == order
    # The next term of the series bends the slope by a few times the largest step.
    assert slope == pytest.approx(order, abs=5 * STEPS[-1])


@pytest.mark.parametrize("case", SMOOTH)
def test_the_complex_step_errs_by_rounding_at_any_small_step(case: str) -> None:
    problem = CASES[case](Arrays())
    for error in errors("complex_step", problem, [1e-9, 1e-20, 1e-60, 1e-120]):
        assert error <= rounding("float64")


PLACES = [
    Arrays("numpy", "cpu", "float64"),
    Arrays("numpy", "cpu", "float32"),
    Arrays("numpy", "cpu", "longdouble"),
    Arrays("torch", "cpu", "float64"),
    Arrays("torch", "cpu", "float32"),
]
if installed("array_api_strict"):
    PLACES += [Arrays("array_api_strict", device) for device in ("cpu", "device1", "device2")]


@pytest.mark.parametrize("arrays", PLACES, ids=lambda arrays: " ".join(astuple(arrays)))
@pytest.mark.parametrize(("name", "power"), [("forward_difference", 1 / 2), ("central_difference", 2 / 3)])
def test_the_default_step_is_near_the_best_one(name: str, power: float, arrays: Arrays) -> None:
    for case, problem in cases_of(arrays).items():
        if case in SMOOTH:
            gradient = gradmark.get_method(name).prepare(problem)(problem.parameters).gradient
            # The promise is eps^power times sqrt(P) |f| / (scale |g|) and scale^p |f^(p+1)| / |g|, which are
            # below 20 here; a step that is wrong by its power would miss by hundreds.
            assert relative_error(gradient, reference(problem)) <= 50 * arrays.epsilon**power, case


def test_a_central_difference_of_a_quadratic_has_no_truncation_error() -> None:
    problem = CASES["quadratic"](Arrays())
    for step in (0.25, 4.0, 64.0):
        gradient = (
            gradmark.get_method("central_difference", step=step).prepare(problem)(problem.parameters).gradient
        )
        # Rounding of f(x +- h) ~ h^2, divided by 2h: u h / |g| at most.
        assert relative_error(gradient, reference(problem)) <= rounding("float64") * (1 + step)


@vector_problem(start=lambda random, size: random.standard_normal(size))
def first_coordinate(xp: Any, x: Any) -> Any:
    """A loss that is a view of the parameters."""
    return x[..., 0]


@pytest.mark.parametrize("step", [None, 0.3, 1e-3, 3.3e-16, 1e-17])
@pytest.mark.parametrize("name", ["forward_difference", "central_difference"])
def test_the_divisor_is_the_step_as_rounded(name: str, step: float | None) -> None:
    # Then the derivative of x_0 is exactly 1 at every step, and at every point.
    for backend in ("numpy", "torch"):
        for seed in range(20):
            problem = first_coordinate(size=3, backend=backend, seed=seed)
            gradient = gradmark.get_method(name, step=step).prepare(problem)(problem.parameters).gradient
            assert flat(gradient).tolist() == [1, 0, 0]


@pytest.mark.parametrize("name", ["forward_difference", "central_difference", "complex_step"])
def test_only_the_loss_is_read_and_as_often_as_claimed(name: str) -> None:
    seen: list[Any] = []

    def loss(x: Any) -> Any:
        seen.append(x.copy())
        return np.sum(x**3)

    at = np.array([0.5, -2.0, 3.0, 0.0])
    problem, method = gradmark.from_function(loss, at), gradmark.get_method(name)
    prepared, claimed = method.prepare(problem), method.claims.work(problem)
    seen.clear()
    with counting() as work:
        estimate = prepared(problem.parameters)
    assert len(seen) == work.forward == estimate.work.forward == claimed.forward
    assert method.claims.black_box
    moved = [np.flatnonzero(x != at) for x in seen]
    # But for the few that ask whether the loss is analytic, along all coordinates.
    assert sum(len(coordinates) > 1 for coordinates in moved) == (4 if name == "complex_step" else 0)
    assert {int(c[0]) for c in moved if len(c) == 1} == {0, 1, 2, 3}


@pytest.mark.parametrize("name", ["forward_difference", "central_difference", "complex_step"])
def test_a_population_axis_changes_the_speed_and_not_the_answer(name: str) -> None:
    network = CASES["mlp tanh mse"](Arrays())
    alone = gradmark.from_function(lambda p: network.loss(p), network.parameters)
    one, many = (gradmark.get_method(name).prepare(p)(p.parameters).gradient for p in (alone, network))
    # Losses that differ by a rounding, divided by a step of eps^(1/2) of the parameters or more.
    assert relative_error(many, one) <= 100 * np.sqrt(Arrays().epsilon)


@pytest.mark.parametrize("members", [1, 2, 3, 100])
def test_the_size_of_a_chunk_does_not_change_the_answer(
    members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from methods.finite_difference.evaluating import coordinates

    problem = CASES["mlp tanh mse"](Arrays())
    exact = reference(problem)
    monkeypatch.setattr(coordinates, "members_per_chunk", lambda problem, draw, number: members)
    gradient = gradmark.get_method("complex_step").prepare(problem)(problem.parameters).gradient
    assert relative_error(gradient, exact) <= rounding("float64")


@pytest.mark.parametrize("name", ["forward_difference", "central_difference"])
def test_no_evaluation_leaves_the_bounds(name: str) -> None:
    def loss(x: Any) -> Any:
        assert np.all(x > 0) and np.all(x < 1)
        return np.sum(np.log(x) + np.log1p(-x))

    at = np.array([1e-9, 0.3, 1 - 1e-9])
    problem = gradmark.from_function(loss, at, bounds=(0.0, 1.0))
    for step in (None, 0.7):
        gradient = gradmark.get_method(name, step=step).prepare(problem)(problem.parameters).gradient
        assert np.sign(gradient["x"]).tolist() == [1, 1, -1]


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_on_a_bound_forward_differences_step_inward_and_central_ones_refuse(edge: float) -> None:
    problem = gradmark.from_function(lambda x: np.sum(x**3), np.array([edge, 0.5]), bounds=(0.0, 1.0))
    forward = gradmark.get_method("forward_difference").prepare(problem)(problem.parameters).gradient
    # Truncation h |f''| / 2 with h = eps^(1/2) of a scale below 1, and f'' at most 6.
    np.testing.assert_allclose(forward["x"], [3 * edge, 0.75], atol=3 * epsilon("float64") ** 0.5)
    central = gradmark.get_method("central_difference").prepare(problem)
    with pytest.raises(gradmark.UsageError, match="`x` lies on a bound"):
        central(problem.parameters)


def test_complex_numbers_that_a_loss_cannot_carry_are_refused_with_the_reason() -> None:
    method = gradmark.get_method("complex_step")
    gelu = gradmark.get_problem("mlp", activation="gelu", backend="torch")
    half = gradmark.get_problem("mlp", backend="torch", dtype="bfloat16")
    assert method.supports(gelu) == "its loss does not carry complex128 on the torch backend"
    assert method.supports(half) == "bfloat16 has no complex counterpart"
    with pytest.raises(
        gradmark.UsageError, match="ComplexStep cannot do mlp: its loss does not carry complex128"
    ):
        method.prepare(gelu)


def test_the_complex_step_refuses_what_is_not_analytic_unless_it_is_told_not_to_ask() -> None:
    squared = gradmark.from_function(lambda x: np.vdot(x, x), np.array([1.0, 2.0]))
    with pytest.raises(gradmark.UsageError, match="something in it is not analytic"):
        gradmark.get_method("complex_step").prepare(squared)(squared.parameters)
    unasked = gradmark.get_method("complex_step", check=False).prepare(squared)(squared.parameters)
    assert unasked.gradient["x"].tolist() == [0, 0]
