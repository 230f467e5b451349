"""The softmax layer where it is saturated, in 16 bits, and at its ends."""

from typing import Any

import numpy as np
import pytest
import torch

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from problems.layers.softmax import Softmax

ROWS, UNITS = 50, 8


@pytest.mark.parametrize("scale", [1, 5, 10, 20])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_its_derivative_in_16_bits_is_as_exact_as_torchs(dtype: str, scale: float) -> None:
    """Both round y once and dx once; where y is saturated its own rounding is all there is to see."""
    arrays, random = Arrays("torch", dtype=dtype), np.random.default_rng(0)
    layer, x = Softmax(arrays), arrays.array(scale * random.standard_normal((ROWS, UNITS)))
    dy = arrays.array(random.standard_normal((ROWS, UNITS)))
    y, saved = layer.forward({}, x, Draw({}))
    found, _ = layer.pullback({}, saved, dy)
    moved = layer.pushforward({}, saved, dy[None, ...], None)
    theirs, exact = x.clone().requires_grad_(True), x.double().requires_grad_(True)
    (theirs_dx,) = torch.autograd.grad(torch.softmax(theirs, -1), [theirs], dy)
    (exact_dx,) = torch.autograd.grad(torch.softmax(exact, -1), [exact], dy.double())

    def error(gradient: Any) -> float:
        assert gradient.dtype == x.dtype
        return float((gradient.double() - exact_dx).norm())

    assert moved is not None
    assert error(found) <= 1.01 * error(theirs_dx)
    assert error(moved[0]) <= 1.01 * error(theirs_dx)
    np.testing.assert_array_equal(to_numpy(y), to_numpy(torch.softmax(x, -1)))


def test_one_unit_is_one_and_does_not_move(everywhere: Arrays) -> None:
    layer, x = Softmax(everywhere), everywhere.array([[3.0], [-1e30]])
    y, saved = layer.forward({}, x, Draw({}))
    np.testing.assert_array_equal(to_numpy(y), 1)
    np.testing.assert_array_equal(to_numpy(layer.pullback({}, saved, x)[0]), 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_not_hidden(bad: float, everywhere: Arrays) -> None:
    layer, x = Softmax(everywhere), everywhere.array([[0.0, bad, 1.0], [0.0, 1.0, 2.0]])
    with np.errstate(invalid="ignore"):
        y = to_numpy(layer.forward({}, x, Draw({}))[0])
    assert np.any(np.isnan(y[0])) and np.all(np.isfinite(y[1]))
