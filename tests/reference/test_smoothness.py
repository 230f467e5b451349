"""Where the loss has no derivative there is no reference; beside such a point there is."""

from typing import Any

import numpy as np
import pytest

from gradmark import from_function, get_problem
from gradmark.measuring.norms import norm
from gradmark.reference import NoReference, best_reference
from gradmark.reference.point import widest_point
from gradmark.reference.witness import Witness


def relu(x: Any) -> Any:
    return np.sum(np.maximum(x, 0))


KINKS = {
    "relu at 0": (relu, [0.0, 1.0, -1.0]),
    "|x| at 0": (lambda x: np.sum(np.abs(x)), [0.0, 1.0]),
    "the larger of two equal": (lambda x: np.max(x), [0.5, 0.5]),
    "a faint kink": (lambda x: np.sum(np.sin(x)) + 1e-6 * np.abs(x[0]), [0.0, 1.0, 2.0]),
    "one kink of many numbers": (lambda x: np.sum(x**2) + np.abs(x[17] - 1), np.linspace(0, 2, 35)),
    "two slopes whose mean is the branch's": (lambda x: np.sum(np.where(x > 0, 2 * x, 4 * x)), [0.0, 3.0]),
}


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_there_is_no_reference(name: str) -> None:
    function, at = KINKS[name]
    with pytest.raises(NoReference, match="not differentiable here"):
        best_reference(from_function(function, np.asarray(at)))


def test_a_closed_form_does_not_help_at_a_kink() -> None:
    problem = from_function(relu, np.array([0.0, 1.0]), gradient=lambda x: (x > 0).astype(x.dtype))
    with pytest.raises(NoReference, match="not differentiable here"):
        best_reference(problem)


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5, 3e-7, 1e-8])
@pytest.mark.parametrize("side", [1, -1])
def test_beside_a_kink_the_slope_of_its_side_is_the_reference(distance: float, side: int) -> None:
    found = best_reference(from_function(relu, np.array([side * distance, 1.0, -1.0])))
    truth = np.array([max(side, 0), 1, 0])
    assert norm(found.gradient["x"] - truth) <= found.uncertainty["x"] < 1e-6


def test_a_network_with_a_unit_exactly_at_its_kink_is_refused() -> None:
    problem = get_problem("mlp", widths=(4, 3, 2), data="synthetic", activation="relu", loss="mse", batch=5)
    best_reference(problem)
    row = problem.default_draw.arrays["inputs"][2]
    parameters = {name: array.copy() for name, array in problem.parameters.items()}
    # The bias of one unit is set so that its pre-activation is 0 in row 2. The weights are halves, and the
    # inputs have few bits, so that no rounding is left in any arithmetic.
    row[:] = np.array([1.0, -0.5, 0.25, 2.0])
    parameters["layers.0.weight"][1] = np.array([0.5, 1.0, -2.0, 0.25])
    parameters["layers.0.bias"][1] = -(0.5 - 0.5 - 0.5 + 0.5)
    with pytest.raises(NoReference, match="not differentiable here"):
        best_reference(problem, parameters)


def test_a_network_behind_a_dead_layer_is_refused() -> None:
    """All units of the first layer are off, so the second layer sits at its biases, which are 0."""
    problem = get_problem(
        "mlp", widths=(3, 2, 2, 2), data="synthetic", activation="relu", loss="mse", batch=4
    )
    parameters = {name: array.copy() for name, array in problem.parameters.items()}
    parameters["layers.0.bias"][:] = -100.0
    with pytest.raises(NoReference, match="not differentiable here"):
        best_reference(problem, parameters)


SMOOTH = {
    "sin": lambda x: np.sum(np.sin(x)),
    "fast": lambda x: np.sum(np.sin(1e4 * x)),
    "steep": lambda x: np.sum(np.exp(30 * x)),
    "beside a large constant": lambda x: 1e9 + np.sum(np.sin(x)),
    "in float32 inside": lambda x: np.sum(np.sin(x.astype(np.float32))).astype(x.dtype),
    "not analytic": lambda x: np.sum(np.abs(x) ** 3),
    "flat": lambda x: np.sum(x**8),
    "constant": lambda x: 0 * np.sum(x) + 3,
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_not_accused_of_kinks(name: str) -> None:
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal(7)
        assert Witness(widest_point(from_function(SMOOTH[name], x), None, None)).kink() is None


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "elu", "gelu"])
def test_networks_are_not_accused_of_kinks(activation: str) -> None:
    for seed in range(15):
        problem = get_problem(
            "mlp", widths=(5, 4, 3), data="synthetic", activation=activation, loss="mse", batch=6, seed=seed
        )
        assert Witness(widest_point(problem, None, None)).kink() is None


HARD = {
    "sin(1e4 x)": (lambda x: np.sum(np.sin(1e4 * np.abs(x))), lambda x: 1e4 * np.cos(1e4 * x)),
    "offset 1e9": (lambda x: 1e9 + np.sum(np.sin(np.abs(x))), np.cos),
    "exp(30 x)": (lambda x: np.sum(np.exp(30 * np.abs(x))), lambda x: 30 * np.exp(30 * x)),
    "sqrt at 1.5e-6": (lambda x: np.sum(np.sqrt(np.abs(x) * 1e-6)), lambda x: 5e-4 / np.sqrt(x)),
    "x ~ 1e8": (lambda x: np.sum((1e8 * np.abs(x)) ** 2), lambda x: 2e16 * x),
}


@pytest.mark.parametrize("name", HARD)
def test_what_makes_fixed_steps_accuse_right_gradients_is_only_less_certain(name: str) -> None:
    """The five cases in which gradient checkers accuse, made non-analytic so that differences must do."""
    function, derivative = HARD[name]
    x = np.random.default_rng(1).uniform(0.5, 2, 6)
    found = best_reference(from_function(function, x))
    assert found.name.startswith("extrapolated differences")
    assert norm(found.gradient["x"] - derivative(x.astype(np.longdouble))) <= found.uncertainty["x"]
    assert found.relative_uncertainty < 1e-6
