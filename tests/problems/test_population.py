"""The population axis: the losses of many parameter vectors are those of a loop over them."""

from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from problems.layers.nonlinearities import NONLINEARITIES

MEMBERS = 3
WIDTHS = (6, 4, 3)
# Roundings on the way of one number through a network of WIDTHS: terms of sums, and functions of 4 units.
ROUNDINGS = sum(WIDTHS) + 3 * 4 + 16


def mlp(arrays: Arrays, **sizes: Any) -> Any:
    place = {"backend": arrays.backend, "device": arrays.device, "dtype": arrays.dtype}
    return gradmark.get_problem(
        "mlp", **{"widths": WIDTHS, "data": "synthetic", "batch": 5, **sizes, **place}
    )


def members(problem: Any, moving: tuple[str, ...]) -> dict[str, Any]:
    """The parameters named in `moving` with a leading axis of MEMBERS different values."""
    random = np.random.default_rng(0)
    return {
        name: problem.arrays.array(random.standard_normal((MEMBERS, *problem.parameters[name].shape)))
        for name in moving
    }


def loop(problem: Any, moving: Mapping[str, Any]) -> list[float]:
    each = [{name: array[i, ...] for name, array in moving.items()} for i in range(MEMBERS)]
    return [float(problem.loss({**problem.parameters, **one})) for one in each]


def assert_population_is_the_loop(problem: Any, moving: tuple[str, ...], roundings: float) -> None:
    moved = members(problem, moving)
    together = problem.loss({**problem.parameters, **moved})
    assert tuple(together.shape) == (MEMBERS,)
    wanted = loop(problem, moved)
    slack = roundings * problem.arrays.epsilon * (1 + np.max(np.abs(wanted)))
    np.testing.assert_allclose(to_numpy(together), wanted, rtol=0, atol=slack)
    assert len(set(wanted)) == MEMBERS  # the members really differ


NAMES = tuple(mlp(Arrays()).parameters)
SUBSETS = tuple(chain.from_iterable(combinations(NAMES, count) for count in range(1, len(NAMES) + 1)))


@pytest.mark.parametrize("moving", SUBSETS, ids=" ".join)
def test_any_subset_of_the_parameters_may_carry_the_axis(moving: tuple[str, ...], everywhere: Arrays) -> None:
    assert_population_is_the_loop(mlp(everywhere), moving, ROUNDINGS)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("activation", NONLINEARITIES)
def test_every_activation_and_loss_takes_the_axis(activation: str, loss: str, everywhere: Arrays) -> None:
    if activation == "gelu" and everywhere.backend == "array_api_strict":
        pytest.skip("array_api_strict has no erfc")
    assert_population_is_the_loop(mlp(everywhere, activation=activation, loss=loss), NAMES, ROUNDINGS)


@pytest.mark.parametrize("what", ["inputs", "nodes"])
def test_opened_networks_take_the_axis(what: Any, everywhere: Arrays) -> None:
    problem = mlp(everywhere).opened(what)
    added = tuple(name for name in problem.parameters if name not in NAMES)
    assert_population_is_the_loop(problem, added, ROUNDINGS)
    assert_population_is_the_loop(problem, tuple(problem.parameters), ROUNDINGS)


def test_logistic_regression_takes_the_axis(everywhere: Arrays) -> None:
    place = {"backend": everywhere.backend, "device": everywhere.device}
    problem = gradmark.get_problem("logistic_regression", batch=20, **place)
    for moving in (("layers.0.weight",), ("layers.0.bias",), tuple(problem.parameters)):
        assert_population_is_the_loop(problem, moving, 30 + 20 + 16)


@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "log_sum_exp"])
def test_functions_take_the_axis(name: str, everywhere: Arrays) -> None:
    problem = gradmark.get_problem(name, size=7, backend=everywhere.backend, device=everywhere.device)
    # Rosenbrock's terms are hundreds times products of four factors: some 16 roundings each, of seven terms.
    assert_population_is_the_loop(problem, ("x",), 7 * 16)


@pytest.mark.parametrize("moving", [("rest",), ("first.weight", "third.bias"), "all"], ids=str)
def test_a_polynomial_of_several_arrays_takes_the_axis_on_any_of_them(
    moving: Any, everywhere: Arrays
) -> None:
    problem = gradmark.get_problem(
        "polynomial", degree=4, backend=everywhere.backend, device=everywhere.device
    )
    names = tuple(problem.parameters) if moving == "all" else moving
    # Sixty terms of four powers each, and the powers of their weighted sum.
    assert_population_is_the_loop(problem, names, 60 * 16)
