"""What convolutions and pools promise beside their derivatives: operations, ties, NaN, what is saved."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from problems.layers.convolution import Convolution
from problems.layers.pooling import AveragePool, MaxPool

ROWS = 3


def convolution(arrays: Arrays, stride: int = 1, padding: int = 1) -> tuple[Convolution, dict[str, Any], Any]:
    layer = Convolution(2, 3, 6, 5, 3, stride, padding, arrays)
    random = np.random.default_rng(0)
    own = {name: arrays.array(random.standard_normal(shape)) for name, shape in layer.shapes().items()}
    return layer, own, arrays.array(random.standard_normal((ROWS, 2 * 6 * 5)))


@pytest.mark.parametrize("input_gradient", [True, False])
@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0), (2, 2)])
def test_flops_are_what_torch_counts(stride: int, padding: int, input_gradient: bool) -> None:
    layer, own, x = convolution(Arrays("torch"), stride, padding)
    weight = own["weight"].requires_grad_(True)
    with FlopCounterMode(display=False) as forward:
        y = torch.nn.functional.conv2d(
            x.reshape(ROWS, 2, 6, 5).requires_grad_(input_gradient), weight, own["bias"], stride, padding
        )
    assert forward.get_total_flops() == layer.flops(ROWS)
    with FlopCounterMode(display=False) as back:
        torch.autograd.backward(y.sum())
    assert back.get_total_flops() == layer.pullback_flops(ROWS, input_gradient=input_gradient)
    with FlopCounterMode(display=False) as ours:
        _, saved = layer.forward(own, x, Draw())
        layer.pullback(own, saved, y.detach().flatten(1), input_gradient=input_gradient)
    assert ours.get_total_flops() == layer.flops(ROWS) + layer.pullback_flops(
        ROWS, input_gradient=input_gradient
    )


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_convolution_saves_its_input_and_nothing_else(backend: str) -> None:
    layer, own, x = convolution(Arrays(backend))
    assert layer.forward(own, x, Draw())[1] is x


def test_an_average_saves_nothing_and_a_maximum_a_byte_for_each_output() -> None:
    x = np.ones((ROWS, 2 * 6 * 5))
    assert AveragePool(6, 5, 2, 2, Arrays()).forward({}, x, Draw())[1] is None
    y, saved = MaxPool(6, 5, 2, 2, Arrays()).forward({}, x, Draw())
    assert saved.dtype == np.uint8 and saved.size == y.size


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 1), (3, 2)])
def test_of_equal_numbers_the_first_is_the_largest_and_nan_is_larger_as_in_torch(
    window: int, stride: int, everywhere: Arrays
) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2, (ROWS, 2 * 6 * 5)).astype(float)
    numbers[0, ::7] = np.nan
    numbers[1, :30] = -np.inf
    layer = MaxPool(6, 5, window, stride, everywhere)
    leaf = torch.tensor(numbers, requires_grad=True)
    y = torch.nn.functional.max_pool2d(leaf.reshape(ROWS, 2, 6, 5), window, stride).flatten(1)
    dy = random.integers(1, 9, tuple(y.shape)).astype(float)
    (wanted,) = torch.autograd.grad(y, leaf, torch.tensor(dy))
    found, saved = layer.forward({}, everywhere.array(numbers), Draw())
    np.testing.assert_array_equal(to_numpy(found), y.detach().numpy())
    dx, _ = layer.pullback({}, saved, everywhere.array(dy))
    np.testing.assert_array_equal(to_numpy(dx), wanted.numpy())


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_complex_step_stays_on_the_branch_of_the_real_part(backend: str) -> None:
    arrays = Arrays(backend, dtype="complex128")
    x = np.array([[1.0 + 1e-40j, 2.0 - 7e-40j, 0.0 + 1e300j, 2.0 + 9e-40j]])
    at = torch.tensor(x) if backend == "torch" else x
    y, saved = MaxPool(2, 2, 2, 2, arrays).forward({}, at, Draw())
    assert complex(y[0, 0]) == x[0, 1]
    dx, _ = MaxPool(2, 2, 2, 2, arrays).pullback({}, saved, y)
    np.testing.assert_array_equal(to_numpy(dx), [[0, x[0, 1], 0, 0]])


def test_a_complex_step_through_torchs_convolution_keeps_every_digit() -> None:
    """torch's own complex convolution adds real and imaginary parts, where 1e-40 is lost."""
    layer, own, x = convolution(Arrays("torch"))
    direction = torch.ones_like(x)
    y, saved = layer.forward(own, x, Draw())
    moved, _ = layer.forward(own, torch.complex(x, 1e-40 * direction), Draw())
    tangents = layer.pushforward(own, saved, direction[None], None)
    assert tangents is not None
    wanted = tangents[0]
    slack = 18 * Arrays().epsilon * float(own["weight"].abs().max()) * 18
    torch.testing.assert_close(moved.imag / 1e-40, wanted, rtol=0, atol=slack)
    torch.testing.assert_close(moved.real, y, rtol=0, atol=slack * float(x.abs().max()))
