"""A formula is believed only if it agrees with the loss, array by array."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from gradmark import from_function, from_torch, get_problem
from gradmark.layer import NamedLayer
from gradmark.measuring.norms import norm
from gradmark.reference import best_reference, pullback, vouch
from gradmark.reference.point import widest_point
from gradmark.reference.rounding import Computed
from gradmark.reference.vouch import Unreliable
from gradmark.reference.witness import Witness
from problems.layers.dense import Dense

FAULTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "scaled by 1 + 1e-12": lambda own: {name: array * (1 + 1e-12) for name, array in own.items()},
    "sign": lambda own: {name: -array for name, array in own.items()},
    "bias forgotten": lambda own: {**own, "bias": 0 * own["bias"]},
    "bias averaged": lambda own: {**own, "bias": own["bias"] / 8},
    "transposed": lambda own: {**own, "weight": own["weight"].T},
    "in float32": lambda own: {
        name: array.astype(np.float32).astype(array.dtype) for name, array in own.items()
    },
    "one entry by 1e-9": lambda own: {**own, "weight": own["weight"] * _one_entry(own["weight"].shape, 1e-9)},
    "zero": lambda own: {name: 0 * array for name, array in own.items()},
}


def _one_entry(shape: tuple[int, ...], by: float) -> Any:
    factor = np.ones(shape, np.longdouble)
    factor[0, 0] += by
    return factor


@dataclass(frozen=True)
class FaultyDense(Dense):
    """A dense layer whose parameter gradient is wrong."""

    fault: str = "zero"

    def pullback(self, p: Any, saved: Any, dy: Any, *, input_gradient: bool = True) -> Any:
        dx, own = super().pullback(p, saved, dy, input_gradient=input_gradient)
        return dx, FAULTS[self.fault](own)


def network(fault: str | None = None, seed: int = 0, **sizes: Any) -> Any:
    """A network whose second dense layer, a square one, has `fault`."""
    arguments = {"widths": (6, 5, 5, 3), "data": "synthetic", "batch": 8, "seed": seed, **sizes}
    problem = get_problem("mlp", **arguments)
    if fault is None:
        return problem
    layers = list(problem.layers)
    dense = layers[2].layer
    layers[2] = NamedLayer("layers.2", FaultyDense(dense.fan_in, dense.fan_out, dense.arrays, fault=fault))
    return replace(problem, layers=tuple(layers))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_pullback_is_found_and_its_layer_named(fault: str) -> None:
    witness = Witness(widest_point(network(fault), None, None))
    estimate = pullback.estimate(witness.point)
    with pytest.raises(Unreliable, match=r"`layers\.2\.(weight|bias)`"):
        vouch.by_complex_step(witness, estimate)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "scaled by 1 + 1e-12"])
def test_differences_find_it_too(fault: str) -> None:
    # They resolve some 1e-13 of the norm, and 1e-12 is too near that.
    witness = Witness(widest_point(network(fault), None, None))
    estimate = pullback.estimate(witness.point)
    with pytest.raises(Unreliable, match=r"`layers\.2\.(weight|bias)`"):
        vouch.by_differences_of_each_array(witness, estimate)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_right_pullback_is_never_accused(activation: str, seed: int) -> None:
    problem = network(seed=seed, activation=activation, dtype="float32")
    # Biases that are not zero: behind a layer that is off for a row, relu would sit exactly at its kink.
    moved = {name: array + np.float32(0.1) for name, array in problem.parameters.items()}
    witness = Witness(widest_point(problem, moved, None))
    estimate = pullback.estimate(witness.point)
    for check in (vouch.by_complex_step, vouch.by_differences, vouch.by_differences_of_each_array):
        check(witness, estimate)


@pytest.mark.parametrize("fault", ["sign", "scaled by 1 + 1e-12"])
def test_no_reference_repeats_a_wrong_pullback(fault: str) -> None:
    """So many parameters that the pullback would be the reference, were it right."""
    sizes = {"widths": (16, 48, 48, 4), "batch": 24}
    assert best_reference(network(**sizes)).name.startswith("pullback")
    found = best_reference(network(fault, **sizes))
    assert found.name == "complex step in float64"
    right = pullback.estimate(widest_point(network(**sizes), None, None))
    for name, array in right.gradient.items():
        assert norm(found.gradient[name] - array) <= found.uncertainty[name] + right.uncertainty[name]


def test_what_vouches_for_a_shared_formula_bounds_its_uncertainty() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
    torch.manual_seed(0)
    problem = from_torch(module, torch.nn.functional.mse_loss, torch.randn(5, 4), torch.randn(5, 3))
    found = best_reference(problem)
    # Only differences in float64 vouch for the graph, and they see no less than about 1e-13 of the norm.
    assert found.name.startswith("torch graph")
    assert found.relative_uncertainty > 1e-14


def test_a_wrong_custom_backward_is_not_repeated() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
            context.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
            (x,) = context.saved_tensors
            return gradient * (1 - torch.tanh(x) ** 2) * 1.01

    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    found = best_reference(from_function(lambda x: torch.sum(Wrong.apply(x) * torch.abs(x + 3)), x))
    assert found.name == "extrapolated differences in float64"
    numbers = x.numpy().astype(np.longdouble)
    truth = (1 - np.tanh(numbers) ** 2) * (numbers + 3) + np.tanh(numbers)
    assert norm(found.gradient["x"] - truth) <= found.uncertainty["x"]


@pytest.mark.parametrize("factor", [2.0, 1 + 1e-10, -1.0, 0.0])
def test_a_closed_form_that_contradicts_the_loss_is_passed_over(factor: float) -> None:
    x = np.random.default_rng(0).standard_normal(6)
    problem = from_function(lambda x: np.sum(x**3), x, gradient=lambda x: factor * 3 * x**2)
    found = best_reference(problem)
    assert found.name.startswith("complex step")
    assert norm(found.gradient["x"] - 3 * x.astype(np.longdouble) ** 2) <= found.uncertainty["x"]


def test_a_complex_step_that_takes_a_wrong_turn_is_passed_over() -> None:
    """The square of the real part has no derivative in the complex plane, and no warning either."""
    x = np.random.default_rng(0).standard_normal(6)
    problem = from_function(
        lambda x: np.sum(np.real(x) ** 2 + 1j * np.imag(x)) if np.iscomplexobj(x) else np.sum(x**2), x
    )
    found = best_reference(problem)
    assert found.name.startswith("extrapolated differences")
    assert norm(found.gradient["x"] - 2 * x.astype(np.longdouble)) <= found.uncertainty["x"]


def test_a_loss_that_drops_the_imaginary_part_does_not_carry_complex_numbers() -> None:
    problem = from_function(
        lambda x: np.sum(np.sin(x.astype(np.float32))).astype(x.dtype), np.linspace(0, 1, 5)
    )
    found = best_reference(problem)
    assert found.name.startswith("extrapolated differences")
    assert found.relative_uncertainty > 1e-7  # it is computed in float32 inside
    assert norm(found.gradient["x"] - np.cos(np.linspace(0, 1, 5))) <= found.uncertainty["x"]


def test_an_estimate_that_is_not_finite_is_no_reference() -> None:
    witness = Witness(widest_point(network(), None, None))
    estimate = pullback.estimate(witness.point)
    broken = {**estimate.gradient, "layers.0.bias": np.full(5, np.nan)}
    with pytest.raises(Unreliable):
        vouch.by_differences(witness, Computed(broken, estimate.uncertainty, estimate.dtype))
