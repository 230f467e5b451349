"""Each layer by itself: its three passes against complex steps, differences, torch and each other."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Affine, Elementwise
from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.layers.nonlinearities import LEAKY_SLOPE, NONLINEARITIES
from problems.layers.opening import Given, Offset
from tests.problems.numeric import central_difference, complex_step, jacobian

ROWS, FAN_IN, FAN_OUT = 4, 5, 3
NUMBERS = ROWS * FAN_IN + FAN_OUT * (FAN_IN + 1)
# Roundings in one number of a layer's output or derivative, beside the sums: gelu's erfc loses z^2 / 2 more.
ROUNDINGS = 32

MAKERS: dict[str, Callable[[Arrays], Any]] = {
    "dense": lambda arrays: Dense(FAN_IN, FAN_OUT, arrays),
    "given": lambda arrays: Given(ROWS, FAN_IN, arrays),
    "offset": lambda arrays: Offset(ROWS, FAN_IN, arrays),
}
MAKERS |= {name: partial(Activation, name) for name in NONLINEARITIES}

TORCH: dict[str, Callable[..., Any]] = {
    "dense": lambda x, weight, bias: functional.linear(x, weight, bias),
    "given": lambda x, inputs: inputs + 0 * x,
    "offset": lambda x, offset: x + offset,
    "identity": lambda z: z.clone(),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, LEAKY_SLOPE),
    "elu": functional.elu,
    "gelu": functional.gelu,
    "softplus": functional.softplus,
}
every_layer = pytest.mark.parametrize("name", MAKERS)


@every_layer
def test_a_layer_is_told_by_the_members_it_has(name: str) -> None:
    layer = MAKERS[name](Arrays())
    assert isinstance(layer, Affine) == (name == "dense")
    assert isinstance(layer, Elementwise) == (name in NONLINEARITIES)


class Case:
    """A layer at a random point, and its forward pass as a function of all its arrays, `x` among them."""

    def __init__(self, name: str, arrays: Arrays | None = None) -> None:
        self.arrays = arrays or Arrays(dtype="float64" if name == "gelu" else "longdouble")
        self.layer = MAKERS[name](self.arrays)
        random = np.random.default_rng(1)
        shapes = {"x": (ROWS, FAN_IN), **self.layer.shapes()}
        dtype = np.longdouble if self.arrays.dtype == "longdouble" else np.float64
        self.at = {key: random.standard_normal(shape).astype(dtype) for key, shape in shapes.items()}
        self.direction = {
            key: random.standard_normal(array.shape).astype(dtype) for key, array in self.at.items()
        }
        self.dy = random.standard_normal(np.shape(self(self.at))).astype(dtype)

    def __call__(self, at: Any) -> Any:
        own = {key: self.here(array) for key, array in at.items()}
        return to_numpy(self.layer.forward(own, own.pop("x"), Draw())[0])

    def here(self, numbers: Any) -> Any:
        return numbers if self.arrays.backend == "numpy" else self.arrays.array(numbers)

    def pullback(self, *, input_gradient: bool = True) -> dict[str, Any]:
        own = {key: self.here(array) for key, array in self.at.items()}
        x = own.pop("x")
        _, saved = self.layer.forward(own, x, Draw())
        dx, gradient = self.layer.pullback(own, saved, self.here(self.dy), input_gradient=input_gradient)
        found = gradient if dx is None else {"x": dx, **gradient}
        return {key: to_numpy(array) for key, array in found.items()}

    def pushforward(self, *moving: str) -> Any:
        """Two tangents, along `direction` for the arrays named in `moving`, the second twice as long."""
        own = {key: self.here(array) for key, array in self.at.items()}
        twice = {key: self.here(np.stack([d, 2 * d])) for key, d in self.direction.items() if key in moving}
        x = own.pop("x")
        _, saved = self.layer.forward(own, x, Draw())
        moved = self.layer.pushforward(own, saved, twice.pop("x", None), twice or None)
        return None if moved is None else to_numpy(moved)


@every_layer
def test_pullback_is_the_transposed_jacobian_times_dy(name: str) -> None:
    case = Case(name)
    found = case.pullback()
    for key, columns in jacobian(case, case.at).items():
        wanted = (columns.T @ case.dy.ravel()).reshape(case.at[key].shape)
        # Every term of the sum is rounded a few times, and so is each sum of at most NUMBERS terms.
        slack = np.maximum(np.abs(columns), 1).T @ np.abs(case.dy.ravel())
        error = np.abs(found.get(key, np.zeros_like(wanted)) - wanted)
        assert np.all(error <= (NUMBERS + ROUNDINGS) * case.arrays.epsilon * slack.reshape(wanted.shape)), key


@every_layer
def test_pushforward_is_the_jacobian_times_the_tangents(name: str) -> None:
    case = Case(name)
    once, twice = case.pushforward(*case.at)
    wanted = complex_step(case, case.at, case.direction)
    slack = sum(
        np.abs(columns) @ np.abs(case.direction[key].ravel())
        for key, columns in jacobian(case, case.at).items()
    )
    bound = (NUMBERS + ROUNDINGS) * case.arrays.epsilon * (1 + slack.reshape(wanted.shape))
    assert np.all(np.abs(once - wanted) <= bound)
    assert np.all(np.abs(twice - 2 * wanted) <= 2 * bound)


@every_layer
def test_pushforward_agrees_with_central_differences(name: str) -> None:
    case = Case(name)
    wanted, bound = central_difference(case, case.at, case.direction, case.arrays.epsilon)
    # The bound is worth something only if it is near what differences can reach, epsilon^(2/3).
    assert np.max(bound) < 1e3 * case.arrays.epsilon ** (2 / 3)
    assert np.all(np.abs(case.pushforward(*case.at)[0] - wanted) <= bound)


@every_layer
def test_pullback_and_pushforward_are_transposes_of_each_other(name: str) -> None:
    """<dy, J d> = <J^T dy, d>: needs no other derivative, so it holds where no oracle reaches."""
    case = Case(name)
    ahead = case.dy * case.pushforward(*case.at)[0]
    back = {key: case.direction[key] * array for key, array in case.pullback().items()}
    slack = np.sum(np.abs(ahead)) + sum(np.sum(np.abs(array)) for array in back.values())
    difference = np.sum(ahead) - sum(np.sum(array) for array in back.values())
    assert abs(difference) <= (NUMBERS + ROUNDINGS) * case.arrays.epsilon * slack


@every_layer
def test_forward_and_pullback_agree_with_torch_autograd(name: str) -> None:
    case = Case(name, Arrays())
    leaves = {key: torch.tensor(array, requires_grad=True) for key, array in case.at.items()}
    y = TORCH[name](*leaves.values())
    wanted = torch.autograd.grad(y, list(leaves.values()), torch.tensor(case.dy))
    slack = (NUMBERS + ROUNDINGS) * case.arrays.epsilon
    np.testing.assert_allclose(case(case.at), y.detach().numpy(), rtol=slack, atol=slack)
    found = case.pullback()
    for key, array in zip(leaves, wanted, strict=True):
        np.testing.assert_allclose(found.get(key, 0 * array), array, rtol=slack, atol=slack, err_msg=key)


@every_layer
def test_every_backend_computes_the_same(name: str, everywhere: Arrays) -> None:
    if name == "gelu" and everywhere.backend == "array_api_strict":
        pytest.skip("array_api_strict has no erfc")
    here, numpy = Case(name, everywhere), Case(name, Arrays())
    slack = (NUMBERS + ROUNDINGS) * numpy.arrays.epsilon
    np.testing.assert_allclose(here(here.at), numpy(numpy.at), rtol=slack, atol=slack)
    np.testing.assert_allclose(
        here.pushforward(*here.at), numpy.pushforward(*numpy.at), rtol=slack, atol=slack
    )
    wanted = numpy.pullback()
    for key, array in here.pullback().items():
        np.testing.assert_allclose(array, wanted[key], rtol=slack, atol=slack, err_msg=key)


@every_layer
def test_tangents_of_single_arrays_add_up_and_none_stands_for_zero(name: str) -> None:
    case = Case(name)
    whole = case.pushforward(*case.at)
    parts = [part for key in case.at if (part := case.pushforward(key)) is not None]
    slack = (NUMBERS + ROUNDINGS) * case.arrays.epsilon * sum(np.max(np.abs(part)) for part in parts)
    assert np.max(np.abs(sum(parts) - whole)) <= slack
    assert case.pushforward() is None


@every_layer
def test_the_gradient_of_the_input_is_left_out_when_nobody_needs_it(name: str) -> None:
    case = Case(name)
    without, whole = case.pullback(input_gradient=False), case.pullback()
    for key in case.layer.shapes():
        np.testing.assert_array_equal(without[key], whole[key])
    if name in ("dense", *NONLINEARITIES):
        assert "x" not in without


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", ["dense", "tanh", "relu"])
def test_the_form_in_buffers_computes_the_same(name: str, backend: str) -> None:
    case = Case(name, Arrays(backend))
    assert case.layer.works_in_place
    own = {key: case.arrays.array(array) for key, array in case.at.items()}
    x, dy = own.pop("x"), case.arrays.array(case.dy)
    wanted_y, wanted = case(case.at), case.pullback()
    y = case.arrays.zeros(case.layer.output_shape((ROWS, FAN_IN)))
    case.layer.forward_into(own, x, y)
    gradient = {key: case.arrays.zeros(shape) for key, shape in case.layer.shapes().items()}
    dx = case.arrays.zeros((ROWS, FAN_IN))
    case.layer.pullback_into(own, x, y, dy, dx, gradient)
    slack = (NUMBERS + ROUNDINGS) * case.arrays.epsilon
    np.testing.assert_allclose(to_numpy(y), wanted_y, rtol=slack, atol=slack)
    for key, array in {"x": dx, **gradient}.items():
        np.testing.assert_allclose(to_numpy(array), wanted[key], rtol=slack, atol=slack, err_msg=key)
    if case.layer.overwrites_input:
        case.layer.forward_into(own, x, x)
        np.testing.assert_array_equal(to_numpy(x), to_numpy(y))


def test_flops_of_a_dense_layer_are_two_for_each_weight_and_row() -> None:
    assert Dense(FAN_IN, FAN_OUT, Arrays()).flops(ROWS) == 2 * ROWS * FAN_IN * FAN_OUT
    assert Activation("tanh", Arrays()).flops(ROWS) == 0


@pytest.mark.parametrize("arrays", [Arrays("array_api_strict"), Arrays(dtype="longdouble")], ids=str)
def test_gelu_is_refused_where_there_is_no_erfc(arrays: Arrays) -> None:
    with pytest.raises(UsageError, match=r"`gelu` needs a function that \w+ lacks"):
        Activation("gelu", arrays)
