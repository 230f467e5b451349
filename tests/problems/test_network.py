"""Networks as problems: opened ones, moved ones, closed forms that no longer speak, widths, smoothness."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradmark
from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from gradmark.parameters import size
from gradmark.problem import accepts
from problems.mlp import widths_for
from tests.problems.numeric import complex_step, jacobian

WIDTHS = (6, 4, 5, 3)
ROUNDINGS = 4 * (sum(WIDTHS) + 16)
# Default sizes, summed in another order: at most 64 terms in each of three layers, then at most 569 rows.
REORDERED = 3 * 64 + 569
SIZES = {"widths": WIDTHS, "data": "synthetic", "batch": 7, "dtype": "longdouble"}

NAMED = (
    "mlp",
    "deep_mlp",
    "resnet_mlp",
    "logistic_regression",
    "quadratic",
    "rosenbrock",
    "log_sum_exp",
    "polynomial",
)


def gradient(problem: Any) -> dict[str, Any]:
    draw = problem.default_draw
    trace = passes.forward(problem, problem.parameters, draw)
    return passes.pullback(problem, problem.parameters, draw, trace)


def explicit(problem: Any) -> tuple[list[Any], Callable[[int, Any], Any]]:
    """The pre-activations z_l of a tanh network written out in NumPy, and the loss as a function of each."""
    p, draw = problem.parameters, problem.default_draw.arrays
    weights = [array for name, array in p.items() if name.endswith("weight")]
    biases = [array for name, array in p.items() if name.endswith("bias")]

    def loss_from(level: int, z: Any) -> Any:
        for weight, bias in zip(weights[level + 1 :], biases[level + 1 :], strict=True):
            z = np.tanh(z) @ weight.T + bias
        return np.sum((z - draw["targets"]) ** 2) / (2 * len(draw["targets"]))

    nodes, h = [], draw["inputs"]
    for weight, bias in zip(weights, biases, strict=True):
        nodes.append(h @ weight.T + bias)
        h = np.tanh(nodes[-1])
    return nodes, loss_from


def test_opened_nodes_have_the_error_signals_as_gradients() -> None:
    """delta_l = dL/dz_l, by moving each z_l of a network written out by hand."""
    problem = gradmark.get_problem("mlp", **SIZES, loss="mse").opened("nodes")
    found, (nodes, loss_from) = gradient(problem), explicit(problem)

    def loss_at(level: int, at: Any) -> Any:
        return loss_from(level, at["z"])

    assert [name for name in found if "nodes" in name] == [f"nodes.{i}.offset" for i in (0, 2, 4)]
    for level, z in enumerate(nodes):
        wanted = jacobian(partial(loss_at, level), {"z": z})["z"].reshape(z.shape)
        error = np.max(np.abs(found[f"nodes.{2 * level}.offset"] - wanted))
        assert error <= ROUNDINGS * problem.arrays.epsilon * np.max(np.abs(wanted))


def test_opened_inputs_have_the_input_gradient() -> None:
    problem = gradmark.get_problem("mlp", **SIZES, loss="mse")
    weight, bias = problem.parameters["layers.0.weight"], problem.parameters["layers.0.bias"]
    _, loss_from = explicit(problem)
    x = problem.default_draw.arrays["inputs"]
    wanted = jacobian(lambda at: loss_from(0, at["x"] @ weight.T + bias), {"x": x})["x"].reshape(x.shape)
    error = np.max(np.abs(gradient(problem.opened("inputs"))["inputs"] - wanted))
    assert error <= ROUNDINGS * problem.arrays.epsilon * np.max(np.abs(wanted))


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("opening", [("inputs",), ("nodes",), ("inputs", "nodes"), ("nodes", "inputs")])
def test_opened_networks_have_the_same_loss_and_a_right_gradient(opening: Any, loss: str) -> None:
    closed = gradmark.get_problem("mlp", **SIZES, loss=loss)
    problem = closed
    for what in opening:
        problem = problem.opened(what)
    assert problem.loss(problem.parameters) == closed.loss(closed.parameters)
    assert set(closed.parameters) < set(problem.parameters)
    random, found = np.random.default_rng(0), gradient(problem)
    for key, at in problem.parameters.items():
        direction = {other: np.zeros_like(array) for other, array in problem.parameters.items()}
        direction[key] = random.standard_normal(at.shape).astype(at.dtype)
        wanted = complex_step(problem.loss, problem.parameters, direction)
        terms = np.sum(np.abs(found[key] * direction[key]))
        assert abs(np.sum(found[key] * direction[key]) - wanted) <= ROUNDINGS * problem.arrays.epsilon * terms


def test_opening_says_so_in_the_call_and_once_is_enough() -> None:
    problem = gradmark.get_problem("mlp").opened("nodes")
    assert str(problem.call).endswith(".opened('nodes')")
    assert problem.opened("nodes") is problem
    what: Any = "outputs"
    with pytest.raises(UsageError, match="allowed are inputs and nodes"):
        problem.opened(what)


@pytest.mark.parametrize("what", ["inputs", "nodes"])
def test_an_opened_network_takes_no_other_number_of_rows(what: Any) -> None:
    """One row would be broadcast against all offsets, and give the loss of another problem."""
    problem = gradmark.get_problem("mlp", batch=8).opened(what)
    with pytest.raises(UsageError, match="parameters for its 8 rows and cannot take 1"):
        problem.loss(problem.parameters, problem.default_draw.rows(0, 1))


def test_a_closed_form_is_not_offered_for_parameters_it_does_not_know() -> None:
    assert gradmark.get_problem("logistic_regression").opened("inputs").closed_form is None


@pytest.mark.parametrize("name", NAMED)
def test_to_keeps_the_numbers_when_the_dtype_widens(name: str) -> None:
    narrow = gradmark.get_problem(name, dtype="float32")
    wide = narrow.to(dtype="longdouble")
    assert wide.arrays.dtype == "longdouble"
    for key, array in narrow.parameters.items():
        assert wide.parameters[key].dtype == np.longdouble
        np.testing.assert_array_equal(wide.parameters[key], array)
    for key, array in narrow.default_draw.arrays.items():
        np.testing.assert_array_equal(wide.default_draw.arrays[key], array)
    assert wide.loss(wide.parameters).dtype == np.longdouble


@pytest.mark.parametrize("backend", ["torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("name", NAMED)
def test_to_moves_a_problem_to_another_backend_and_back(name: str, backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    start = gradmark.get_problem(name)
    there = start.to(backend=backend, dtype="float32")
    assert (there.arrays.backend, there.arrays.dtype) == (backend, "float32")
    back = there.to(backend="numpy", dtype="float64")
    for key, array in start.parameters.items():
        np.testing.assert_array_equal(back.parameters[key], array.astype(np.float32))
    value = float(there.loss(there.parameters))
    assert value == pytest.approx(
        float(back.loss(back.parameters)), rel=REORDERED * there.arrays.epsilon, abs=0
    )


def test_to_changes_the_device_and_does_not_share_memory() -> None:
    pytest.importorskip("array_api_strict", reason="array_api_strict is not installed here")
    problem = gradmark.get_problem("mlp", backend="array_api_strict").to(device="device1")
    assert "device1" in str(problem.parameters["layers.0.weight"].device)
    assert "device1" in str(problem.loss(problem.parameters).device)
    numpy = gradmark.get_problem("mlp")
    for backend in ("numpy", "torch"):
        copied = numpy.to(backend=backend)
        copied.parameters["layers.0.weight"][0, 0] = 77
        assert numpy.parameters["layers.0.weight"][0, 0] != 77


def test_accepts_says_which_dtypes_the_whole_path_carries() -> None:
    def accepted(backend: str, activation: str) -> set[str]:
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
        problem = gradmark.get_problem("mlp", backend=backend, activation=activation)
        tried = ("float16", "bfloat16", "float32", "longdouble", "complex128", "clongdouble", "nonsense")
        return {dtype for dtype in tried if accepts(problem, dtype)}

    assert accepted("numpy", "tanh") == {"float32", "longdouble", "complex128", "clongdouble"}
    assert accepted("numpy", "gelu") == {"float32", "complex128"}
    assert accepted("torch", "tanh") == {"float16", "bfloat16", "float32", "complex128"}
    assert accepted("torch", "gelu") == {"float16", "bfloat16", "float32"}
    assert accepted("jax", "softplus") == {"float32", "complex128"}
    assert accepted("jax", "gelu") == {"float32"}
    assert accepted("array_api_strict", "relu") == {"float32", "complex128"}


@given(st.integers(100, 3_000_000), st.integers(1, 5), st.integers(1, 80), st.integers(1, 30))
def test_widths_for_is_as_near_as_integers_allow(wanted: int, hidden: int, inputs: int, outputs: int) -> None:
    def parameters(width: int) -> int:
        widths = (inputs, *[width] * hidden, outputs)
        return sum((a + 1) * b for a, b in pairwise(widths))

    widths = widths_for(wanted, inputs=inputs, outputs=outputs, hidden_layers=hidden)
    assert widths[0] == inputs and widths[-1] == outputs and len(widths) == hidden + 2
    assert len(set(widths[1:-1])) == 1
    distance = abs(parameters(widths[1]) - wanted)
    assert distance <= abs(parameters(widths[1] + 1) - wanted)
    assert widths[1] == 1 or distance <= abs(parameters(widths[1] - 1) - wanted)


def test_widths_for_counts_as_the_problem_does() -> None:
    widths = widths_for(10_000)
    problem = gradmark.get_problem("mlp", widths=widths)
    assert abs(size(problem.parameters) - 10_000) < sum(widths)


def test_smoothness_is_that_of_the_activation_where_one_is_used() -> None:
    assert gradmark.get_problem("mlp", activation="relu").smoothness == "kinked"
    assert gradmark.get_problem("mlp", activation="relu", widths=(64, 10)).smoothness == "smooth"
    assert gradmark.get_problem("mlp", activation="elu").smoothness == "smooth"


def test_parameters_are_named_as_in_a_torch_sequential() -> None:
    import torch

    layers = [torch.nn.Linear(6, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)]
    state = torch.nn.ModuleDict({"layers": torch.nn.Sequential(*layers)}).state_dict()
    problem = gradmark.get_problem("mlp", widths=(6, 4, 3), data="synthetic")
    assert {k: tuple(v.shape) for k, v in state.items()} == {
        k: v.shape for k, v in problem.parameters.items()
    }
    assert list(state) == list(problem.parameters)


def test_plain_forward_is_the_loss_on_every_backend() -> None:
    for backend in ("numpy", "torch", "jax", "array_api_strict"):
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
        for name in ("mlp", "logistic_regression", "quadratic"):
            problem = gradmark.get_problem(name, backend=backend)
            plain = problem.plain_forward()
            value = float(to_numpy(plain(problem.parameters, problem.default_draw)))
            assert value == pytest.approx(
                float(problem.loss(problem.parameters)), rel=REORDERED * 2.0**-52, abs=0
            )
            np.testing.assert_array_equal(
                to_numpy(problem.default_draw.arrays.get("inputs", 0)),
                to_numpy(gradmark.get_problem(name, backend=backend).default_draw.arrays.get("inputs", 0)),
            )
