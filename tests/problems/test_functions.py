"""Test functions: their closed forms against derivatives of the loss that know no formula."""

from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.problem import Problem
from problems.functions.quadratic import _spectrum
from tests.problems.numeric import central_difference, complex_step

CLOSED = [
    ("quadratic", {"size": 12, "condition": 1e6}),
    ("rosenbrock", {"size": 12}),
    ("log_sum_exp", {"size": 12}),
    ("polynomial", {"size": 20, "degree": 4}),
    ("logistic_regression", {"batch": 40}),
]
closed = pytest.mark.parametrize(("name", "sizes"), CLOSED, ids=[name for name, _ in CLOSED])
# Terms of a sum (40 rows of 30 inputs, or 12 coordinates of a few operations), and their roundings.
ROUNDINGS = 40 + 30 + 16


def flat(named: dict[str, Any]) -> Any:
    return np.concatenate([to_numpy(array).ravel() for array in named.values()])


def formula(problem: Problem, at: Any = None) -> dict[str, Any]:
    """The closed form at the problem's own point, or another."""
    assert problem.closed_form is not None
    return problem.closed_form(problem.parameters if at is None else at, problem.default_draw)


@closed
def test_closed_form_agrees_with_complex_steps_in_longdouble(name: str, sizes: dict[str, Any]) -> None:
    problem = gradmark.get_problem(name, **sizes, dtype="longdouble")
    found = formula(problem)
    assert list(found) == list(problem.parameters)
    scale = np.max(np.abs(flat(found)))
    for key, array in found.items():
        for index in range(array.size):
            direction = {other: np.zeros_like(at) for other, at in problem.parameters.items()}
            direction[key].flat[index] = 1
            wanted = complex_step(problem.loss, problem.parameters, direction)
            assert abs(array.flat[index] - wanted) <= ROUNDINGS * problem.arrays.epsilon * scale


@closed
def test_closed_form_agrees_with_central_differences(name: str, sizes: dict[str, Any]) -> None:
    problem = gradmark.get_problem(name, **sizes, dtype="longdouble")
    random = np.random.default_rng(0)
    direction = {key: random.standard_normal(at.shape) for key, at in problem.parameters.items()}
    wanted, bound = central_difference(problem.loss, problem.parameters, direction, problem.arrays.epsilon)
    found = formula(problem)
    slope = np.sum(flat(found) * flat(direction))
    assert bound < 1e-8 * np.sum(np.abs(flat(found) * flat(direction)))
    assert abs(slope - wanted) <= bound


@closed
def test_closed_form_agrees_with_torch_autograd(name: str, sizes: dict[str, Any]) -> None:
    problem = gradmark.get_problem(name, **sizes, backend="torch")
    leaves = {key: at.clone().requires_grad_(True) for key, at in problem.parameters.items()}
    wanted = torch.autograd.grad(problem.loss(leaves), list(leaves.values()))
    found = formula(problem)
    scale = np.max(np.abs(flat(found)))
    for array, other in zip(found.values(), wanted, strict=True):
        assert torch.max(torch.abs(array - other)) <= ROUNDINGS * problem.arrays.epsilon * scale


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e12])
def test_the_quadratic_has_the_condition_number_it_was_given(condition: float) -> None:
    problem = gradmark.get_problem("quadratic", size=9, condition=condition)
    columns = [formula(problem, {"x": unit})["x"] for unit in np.eye(9)]
    eigenvalues = np.linalg.eigvalsh(np.stack(columns))
    # An eigenvalue is found to epsilon times the largest, which is 1.
    assert eigenvalues[-1] == pytest.approx(1, rel=64 * 2.0**-52, abs=0)
    assert eigenvalues[0] == pytest.approx(1 / condition, rel=64 * 2.0**-52 * condition, abs=0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_the_spectrum_of_a_large_quadratic_is_right_in_narrow_dtypes(dtype: str) -> None:
    """bfloat16 cannot count to 1000: beyond 256 it has no odd numbers."""
    arrays = Arrays("torch", dtype=dtype)
    spectrum = to_numpy(_spectrum(arrays.xp, arrays.zeros((1000,)), 100.0))
    wanted = 100.0 ** -np.linspace(0, 1, 1000)
    # Half a unit of the one rounding; bfloat16 is reached by way of float32, and exp has its own few units.
    assert np.all(np.abs(spectrum - wanted) <= (0.5 * arrays.epsilon + 8 * 2.0**-24) * wanted)


def test_rosenbrock_is_flat_at_its_minimum() -> None:
    problem = gradmark.get_problem("rosenbrock", size=5)
    ones = {"x": np.ones(5)}
    assert problem.loss(ones) == 0
    assert not np.any(formula(problem, ones)["x"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_sum_exp_has_inputs_of_a_hundred_and_does_not_overflow(dtype: str) -> None:
    problem = gradmark.get_problem("log_sum_exp", size=1000, dtype=dtype)
    x = problem.parameters["x"]
    assert x.max() > 99 and x.min() < -99
    with np.errstate(over="raise"):
        assert x.max() <= problem.loss(problem.parameters) <= x.max() + np.log(1000)


@pytest.mark.parametrize("what", ["inputs", "nodes"])
def test_a_function_cannot_be_opened(what: Any) -> None:
    with pytest.raises(UsageError, match=f"quadratic has no {what} to open"):
        gradmark.get_problem("quadratic").opened(what)
