"""A control variate takes its own part of the gradient out of what chance adds, and changes no mean."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.errors import UsageError
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, standard_error
from gradmark.parameters import ravel
from gradmark.problem import Problem
from tests.methods.cases import CASES, flat, reference, relative_error

INSIDE = "gaussian_es:pairs=6"


def of(vector: Any, problem: Problem) -> dict[str, Any]:
    return ravel(problem.parameters)[1](vector)


def test_the_variance_is_that_of_what_the_control_variate_leaves() -> None:
    problem = gradmark.get_problem("polynomial", size=30, degree=1)
    exact = reference(problem)
    g = flat({name: exact[name] for name in problem.parameters}).astype(float)
    b = 0.7 * g + 0.1 * np.linalg.norm(g) / np.sqrt(30) * np.resize([1.0, -1.0], 30)
    function = gradmark.get_method("control_variate", method=INSIDE).prepare(problem)
    found = np.stack(
        [flat(function(problem.parameters, k, state=of(b, problem)).gradient) for k in range(6_000)]
    )
    ratio = np.sum((found - g) ** 2, axis=1) / ((g - b) @ (g - b)) * 6 / 31
    assert standard_error(ratio) < 0.02
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, 0.05)


@pytest.mark.parametrize("backend", [each for each in ("numpy", "jax") if installed(each)])
def test_the_gradient_itself_as_control_variate_leaves_the_curvature_alone(backend: str) -> None:
    problem = CASES["mlp tanh mse"](Arrays(backend))
    exact = reference(problem)
    b = {name: problem.arrays.array(np.asarray(array, dtype=float)) for name, array in exact.items()}
    method = gradmark.get_method("control_variate", method="gaussian_es:pairs=8;sigma=1e-3")
    function = method.prepare(problem)
    plain, controlled = function(problem.parameters, 1), function(problem.parameters, 1, state=b)
    inside = gradmark.get_method("gaussian_es", pairs=8, sigma=1e-3).prepare(problem)(problem.parameters, 1)
    assert relative_error(plain.gradient, inside.gradient) < 1e-9
    assert relative_error(controlled.gradient, exact) < 1e-3 < relative_error(plain.gradient, exact)
    assert relative_error(controlled.state, controlled.gradient) == 0
    assert controlled.work == inside.work


@pytest.mark.parametrize("inside", ["backprop", "node_difference", "gaussian_es:shaping=sign"])
def test_what_it_cannot_hold_is_refused(inside: str) -> None:
    with pytest.raises(UsageError, match="must read the loss alone and claim to be unbiased"):
        gradmark.get_method("control_variate", method=inside)


def test_a_state_of_another_shape_is_refused() -> None:
    problem = gradmark.get_problem("quadratic", size=4)
    function = gradmark.get_method("control_variate").prepare(problem)
    for state in ({}, {name: np.ones(5) for name in problem.parameters}, 3.0):
        with pytest.raises(UsageError, match="must be a vector like the parameters"):
            function(problem.parameters, state=state)


def test_a_state_of_another_dtype_or_library_is_refused_and_a_graph_behind_it_is_not_followed() -> None:
    torch = pytest.importorskip("torch")
    problem = gradmark.get_problem("quadratic", size=4, backend="torch", dtype="float32")
    function = gradmark.get_method("control_variate").prepare(problem)
    for state in (np.ones(4, np.float32), torch.ones(4, dtype=torch.float64), torch.ones(4).int()):
        with pytest.raises(UsageError, match="must be a vector like the parameters"):
            function(problem.parameters, state={"x": state})
    answer = function(problem.parameters, state={"x": torch.ones(4, requires_grad=True)})
    assert not answer.gradient["x"].requires_grad


@pytest.mark.parametrize("backend", [each for each in ("numpy", "torch") if installed(each)])
def test_what_is_done_to_an_answer_changes_no_state(backend: str) -> None:
    problem = gradmark.get_problem("quadratic", size=4, backend=backend)
    answer = gradmark.get_method("control_variate").prepare(problem)(problem.parameters)
    before = answer.state["x"] + 0
    answer.gradient["x"][...] = 7
    assert bool((answer.state["x"] == before).all())
