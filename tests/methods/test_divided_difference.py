"""Divided differences: exact where the step vanishes, the plain quotient where it is large."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.claims import Exact, Truncated
from gradmark.nodes import nodes_of
from gradmark.parameters import size
from gradmark.problem import Problem
from methods.finite_difference.structured.divided_difference import vanishing
from problems.layers.nonlinearities import NONLINEARITIES
from tests.methods.cases import relative_error

STRUCTURED: dict[str, dict[str, Any]] = {
    "deep_mlp": {"width": 4, "depth": 3, "inputs": 3, "outputs": 2, "normalisation": "batch", "dropout": 0.5},
    "resnet_mlp": {"width": 4, "blocks": 2, "inputs": 3, "outputs": 2, "normalisation": "layer"},
    "reversible_mlp": {"width": 4, "blocks": 2, "inputs": 3, "outputs": 2},
    "convnet": {"channels": (2,), "size": 4, "outputs": 3},
    "rnn": {"length": 3, "hidden": 3},
    "lstm": {"length": 3, "hidden": 2},
    "transformer": {"blocks": 1, "width": 4, "heads": 2, "positions": 3},
}
SYNTHETIC = ("deep_mlp", "resnet_mlp", "reversible_mlp", "convnet")


def structured(name: str) -> Problem:
    more = {"data": "synthetic"} if name in SYNTHETIC else {}
    return gradmark.get_problem(name, batch=4, **STRUCTURED[name], **more)


def mlp(activation: str = "tanh", loss: str = "mse", **where: Any) -> Problem:
    return gradmark.get_problem(
        "mlp",
        widths=(3, 5, 4, 4, 2),
        activation=activation,
        loss=loss,
        data="synthetic",
        batch=6,
        **where,
    )


def gradient(problem: Problem, **options: Any) -> dict[str, Any]:
    method = gradmark.get_method("divided_difference", **options)
    found = method.prepare(problem)(problem.parameters).gradient
    return {name: np.array(to_numpy(array)) for name, array in found.items()}


def roundings(problem: Problem) -> float:
    """Of one number's way through the layers: four for each term of a sum, and the square root of them."""
    numbers = size(problem.parameters)
    return float(8 * np.sqrt(numbers + 100) * problem.arrays.epsilon)


@pytest.mark.parametrize("name", STRUCTURED)
def test_networks_of_every_kind_have_the_gradient_of_backpropagation(name: str) -> None:
    problem = structured(name)
    wanted = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    assert relative_error(gradient(problem), wanted) <= roundings(problem)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("activation", NONLINEARITIES)
def test_the_fast_path_computes_what_the_layers_own_differences_do(
    activation: str, loss: str, backend: str
) -> None:
    problem = mlp(activation, loss, backend=backend)
    assert relative_error(gradient(problem), gradient(problem, fast=False)) <= roundings(problem)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("activation", [name for name in NONLINEARITIES if name != "gelu"])
def test_a_step_of_order_one_gives_the_difference_quotient(activation: str, loss: str) -> None:
    """S of every bias is (f(b) - f(b - s)) / s row by row; summed over rows, that of the loss itself where
    one row is all there is."""
    step, problem = 0.75, mlp(activation, loss, dtype="longdouble")
    draw = problem.default_draw.rows(0, 1)
    method = gradmark.get_method("divided_difference", step=step)
    found = method.prepare(problem)(problem.parameters, draw=draw).gradient
    for name, bias in problem.parameters.items():
        for index in np.ndindex(bias.shape) if name.endswith("bias") else ():
            moved = bias.copy()
            moved[index] -= step
            after = problem.loss({**problem.parameters, name: moved}, draw)
            wanted = (problem.loss(problem.parameters, draw) - after) / step
            assert abs(found[name][index] - wanted) <= roundings(problem)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_the_step_that_vanishes_is_as_far_from_rounding_as_from_underflow(dtype: str) -> None:
    step, finest = vanishing(Arrays(dtype=dtype)), np.finfo(np.dtype(dtype))
    above = np.log2(finest.eps) - np.log2(step)
    below = np.log2(step) - max(float(np.log2(finest.tiny)), -1022)
    assert abs(above - below) <= 2
    assert above > 50


def test_the_vanishing_step_is_exact_and_any_other_of_first_order() -> None:
    assert gradmark.get_method("divided_difference").claims.exactness == Exact()
    assert gradmark.get_method("divided_difference", step=0.1).claims.exactness == Truncated(1, "step")


@pytest.mark.parametrize("fast", [True, False])
def test_an_evaluation_for_each_node_and_one_at_the_point_are_counted(fast: bool) -> None:
    problem = mlp()
    method = gradmark.get_method("divided_difference", fast=fast)
    assert method.prepare(problem)(problem.parameters).work.forward == 1 + nodes_of(problem).directions == 16


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_at_a_kink_the_quotient_is_the_derivative_of_the_left_branch(activation: str) -> None:
    problem = mlp(activation)
    # Every node of the first layer is at the kink, those behind it are not.
    zeros = {
        name: 0 * array if name.startswith("layers.0") else array + 0.1
        for name, array in problem.parameters.items()
    }
    method, backprop = (gradmark.get_method(name) for name in ("divided_difference", "backprop"))
    found = method.prepare(problem)(zeros).gradient
    wanted = backprop.prepare(problem)(zeros).gradient
    np.testing.assert_allclose(found["layers.0.bias"], wanted["layers.0.bias"], rtol=roundings(problem))


def test_float16_has_no_room_for_the_vanishing_step() -> None:
    problem = mlp(backend="torch", dtype="float16")
    assert "float16 has no room" in (gradmark.get_method("divided_difference").supports(problem) or "")
    assert gradmark.get_method("divided_difference", step=0.1).supports(problem) is None
