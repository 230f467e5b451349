"""Each loss by itself: against torch with its factor, complex steps, differences, and logits of 1e4."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from problems.logistic_regression import BinaryCrossEntropy
from problems.losses import CrossEntropy, MeanSquaredError
from tests.problems.numeric import central_difference, complex_step, jacobian

ROWS, UNITS = 6, 4
# Roundings of one number on its way through a loss, beside the sums over rows and units: exp, log, divisions.
ROUNDINGS = 16
TERMS = ROWS * UNITS

LOSSES: dict[str, Callable[[Arrays], Any]] = {
    "mse": MeanSquaredError,
    "cross_entropy": CrossEntropy,
    "binary": BinaryCrossEntropy,
}
TORCH: dict[str, Callable[[Any, Any], Any]] = {
    # torch's mean is over rows and outputs; gradmark's one half of the sum over outputs, mean over rows.
    "mse": lambda y, t: UNITS / 2 * functional.mse_loss(y, t),
    "cross_entropy": functional.cross_entropy,
    "binary": functional.binary_cross_entropy_with_logits,
}
every_loss = pytest.mark.parametrize("name", LOSSES)


class Case:
    """A loss, random outputs and targets that fit it."""

    def __init__(self, name: str, arrays: Arrays | None = None, scale: float = 1.0) -> None:
        self.arrays = arrays or Arrays(dtype="longdouble")
        self.loss, random = LOSSES[name](self.arrays), np.random.default_rng(2)
        units = 1 if name == "binary" else UNITS
        dtype = np.longdouble if self.arrays.dtype == "longdouble" else np.float64
        self.outputs = (scale * random.standard_normal((ROWS, units))).astype(dtype)
        self.targets = random.standard_normal((ROWS, units))
        if name == "cross_entropy":  # probabilities, two rows of them one-hot
            self.targets = functional.softmax(torch.tensor(self.targets), dim=-1).numpy()
            self.targets[:2] = np.eye(UNITS)[:2]
        if name == "binary":
            self.targets = (self.targets > 0).astype(np.float64)
        self.direction = random.standard_normal((ROWS, units)).astype(dtype)
        self.draw = Draw({"targets": self.arrays.array(self.targets)})

    def __call__(self, at: Any) -> Any:
        outputs = at["y"] if self.arrays.backend == "numpy" else self.arrays.array(at["y"])
        return to_numpy(self.loss.value(outputs, self.draw))

    def pullback(self) -> Any:
        return to_numpy(self.loss.pullback(self.arrays.array(self.outputs), self.draw))

    def pushforward(self) -> Any:
        tangents = self.arrays.array(np.stack([self.direction, 2 * self.direction]))
        return to_numpy(self.loss.pushforward(self.arrays.array(self.outputs), self.draw, tangents))

    @property
    def slack(self) -> float:
        return (TERMS + ROUNDINGS) * self.arrays.epsilon


@every_loss
def test_value_and_gradient_agree_with_torch(name: str) -> None:
    case = Case(name, Arrays())
    y = torch.tensor(case.outputs, requires_grad=True)
    wanted = TORCH[name](y, torch.tensor(case.targets))
    (slope,) = torch.autograd.grad(wanted, [y])
    assert float(case({"y": case.outputs})) == pytest.approx(wanted.item(), rel=case.slack, abs=0)
    np.testing.assert_allclose(case.pullback(), slope, rtol=case.slack, atol=case.slack)


@every_loss
def test_gradient_agrees_with_complex_steps(name: str) -> None:
    case = Case(name)
    wanted = jacobian(case, {"y": case.outputs})["y"].reshape(case.outputs.shape)
    assert np.max(np.abs(case.pullback() - wanted)) <= case.slack


@every_loss
def test_pushforward_agrees_with_complex_steps_and_differences(name: str) -> None:
    case = Case(name)
    at, direction = {"y": case.outputs}, {"y": case.direction}
    once, twice = case.pushforward()
    terms = np.sum(np.abs(case.pullback() * case.direction))
    assert abs(once - complex_step(case, at, direction)) <= case.slack * (1 + terms)
    assert twice == 2 * once
    wanted, bound = central_difference(case, at, direction, case.arrays.epsilon)
    assert bound < 1e3 * case.arrays.epsilon ** (2 / 3)
    assert abs(once - wanted) <= bound


@every_loss
def test_pushforward_is_the_gradient_times_the_tangent(name: str) -> None:
    case = Case(name)
    terms = case.pullback() * case.direction
    assert abs(case.pushforward()[0] - np.sum(terms)) <= case.slack * np.sum(np.abs(terms))


@every_loss
def test_every_backend_computes_the_same(name: str, everywhere: Arrays) -> None:
    here, numpy = Case(name, everywhere), Case(name, Arrays())
    at = {"y": here.outputs}
    np.testing.assert_allclose(here(at), numpy(at), rtol=numpy.slack)
    np.testing.assert_allclose(here.pullback(), numpy.pullback(), rtol=numpy.slack, atol=numpy.slack)
    np.testing.assert_allclose(here.pushforward(), numpy.pushforward(), rtol=numpy.slack, atol=numpy.slack)


@every_loss
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_form_in_a_buffer_computes_the_same(name: str, backend: str, dtype: str) -> None:
    case = Case(name, Arrays(backend, dtype=dtype))
    outputs = case.arrays.array(case.outputs)
    buffer = case.arrays.array(np.full(outputs.shape, np.nan))
    value = case.loss.value_and_pullback_into(outputs, case.draw, buffer)
    assert float(value) == pytest.approx(float(case({"y": case.outputs})), rel=case.slack, abs=0)
    np.testing.assert_allclose(to_numpy(buffer), case.pullback(), rtol=case.slack, atol=case.slack)


@every_loss
def test_a_population_of_outputs_has_one_loss_each(name: str) -> None:
    case = Case(name)
    members = np.stack([case.outputs, 2 * case.outputs, -1 * case.outputs])
    wanted = [case({"y": member}) for member in members]
    np.testing.assert_allclose(case({"y": members}), wanted, rtol=case.slack)


@pytest.mark.parametrize("name", ["cross_entropy", "binary"])
@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        *[("numpy", dtype) for dtype in ("float32", "float64", "longdouble")],
        *[("torch", dtype) for dtype in ("bfloat16", "float16", "float32", "float64")],
        *[("jax", dtype) for dtype in ("float32", "float64")],
        *[("array_api_strict", dtype) for dtype in ("float32", "float64")],
    ],
)
def test_logits_of_ten_thousand_are_safe_in_every_dtype(name: str, backend: str, dtype: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    case = Case(name, Arrays(backend, dtype=dtype), scale=1e4)
    exact = Case(name, Arrays(dtype="longdouble"), scale=1e4)
    # What is compared is the loss of the logits and targets as the dtype holds them.
    exact.outputs = to_numpy(case.arrays.array(case.outputs)).astype(np.longdouble)
    exact.draw = Draw({"targets": to_numpy(case.draw.arrays["targets"]).astype(np.longdouble)})
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = case({"y": case.outputs}), case.pullback()
    assert np.isfinite(value) and np.all(np.isfinite(gradient))
    wanted = exact({"y": exact.outputs})
    assert abs(value - wanted) <= case.slack * wanted
    assert np.max(np.abs(gradient - exact.pullback())) <= case.slack


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_on_the_right_side_keeps_the_digits_of_its_small_loss(dtype: str) -> None:
    """softplus(40) - 40 taken as written is 0; the loss is log(1 + exp(-40))."""
    arrays = Arrays(dtype=dtype)
    draw = Draw({"targets": arrays.array([[1.0], [0.0]])})
    value = BinaryCrossEntropy(arrays).value(arrays.array([[40.0], [-40.0]]), draw)
    assert float(value) == pytest.approx(
        float(np.log1p(np.exp(-np.longdouble(40)))), rel=8 * arrays.epsilon, abs=0
    )
