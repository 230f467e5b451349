"""Differences and complex steps of outputs: what is theirs alone beside `test_quantities`."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, epsilon, to_numpy
from tests.methods.test_quantities import build, derivatives, directions, flat

NAMES = ("forward_difference", "backward_difference", "central_difference", "stencil_difference")
ONE_SIDED, SYMMETRIC = NAMES[:2], NAMES[2:]


def product(name: str, problem: Any, v: Any, **hyper: Any) -> Any:
    return gradmark.get_method(name, **hyper).prepare(problem, "jvp")(problem.parameters, direction=v).result


def jacobian(name: str, problem: Any, **hyper: Any) -> Any:
    return gradmark.get_method(name, **hyper).prepare(problem, "jacobian")(problem.parameters).result


@pytest.mark.parametrize("name", NAMES)
def test_the_error_of_a_product_falls_with_the_declared_power_of_the_step(name: str) -> None:
    problem, steps = build("mlp", Arrays(dtype="longdouble")), np.geomspace(1e-3, 1e-2, 4)
    v, _ = directions(problem)
    exact = derivatives("mlp", "longdouble")[0] @ flat(problem, "hvp", v)
    errors = [np.linalg.norm(np.ravel(product(name, problem, v, step=float(step))) - exact) for step in steps]
    order = gradmark.get_method(name).claims.exactness.order
    # The next terms of the series bend the slope by some times the largest step.
    slope = np.polyfit(np.log(steps), np.log(np.array(errors, float)), 1)[0]
    assert slope == pytest.approx(order, abs=20 * steps[-1])


@pytest.mark.parametrize("name", [*NAMES, "complex_step"])
def test_a_jacobian_of_a_loss_is_its_gradient_to_the_bit_and_a_product_with_a_basis_vector_its_entry(
    name: str,
) -> None:
    at = np.array([0.5, -2.0, 3e4, 0.0])
    problem = gradmark.from_function(lambda x: np.sum(np.sin(x) * x), at)
    gradient = gradmark.get_method(name).prepare(problem)(problem.parameters).gradient["x"]
    np.testing.assert_array_equal(jacobian(name, problem)["x"], gradient)
    matrix = gradmark.from_function(lambda x: np.sum(np.sin(x) * x), at.reshape(2, 2))
    gradient_of_matrix = gradmark.get_method(name).prepare(matrix)(matrix.parameters).gradient["x"]
    np.testing.assert_array_equal(jacobian(name, matrix)["x"], gradient_of_matrix)
    for entry, basis in enumerate(np.eye(4)):
        assert product(name, problem, {"x": basis}) == gradient[entry]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_how_far_the_point_moves_does_not_depend_on_the_length_of_the_direction(
    name: str, dtype: str
) -> None:
    problem = build("mlp", Arrays("torch", dtype=dtype))
    v, _ = directions(problem)
    found = to_numpy(product(name, problem, v))
    for factor in (2.0**-12, 2.0**8):  # a power of two rounds nothing, but where numbers become subnormal
        longer = to_numpy(product(name, problem, {n: factor * array for n, array in v.items()}))
        tiny = float(np.finfo(np.float16).smallest_subnormal) if dtype == "float16" else 0
        np.testing.assert_allclose(longer, factor * found, rtol=0, atol=tiny)
    exact = derivatives("mlp", "float64")[0] @ flat(problem, "hvp", v)
    order = gradmark.get_method(name).claims.exactness.order
    error = np.linalg.norm(np.ravel(found) - exact) / np.linalg.norm(exact)
    # At 50 times the best power of epsilon bfloat16 has no digits left: here it must have some.
    assert error <= min(0.5, 50 * epsilon(dtype) ** (order / (order + 1)))


@pytest.mark.parametrize("name", NAMES)
def test_no_output_is_taken_outside_of_the_bounds(name: str) -> None:
    def loss(x: Any) -> Any:
        assert np.all(x > 0) and np.all(x < 1)
        return np.sum(np.log(x) - np.log1p(-x))

    at = np.array([1e-9, 0.3, 1 - 1e-9])
    problem = gradmark.from_function(loss, at, bounds=(0.0, 1.0))
    for step in (None, 0.7):
        assert np.all(jacobian(name, problem, step=step)["x"] > 0)
        assert product(name, problem, {"x": np.array([1.0, 1.0, 0.0])}, step=step) > 0


@pytest.mark.parametrize("name", NAMES)
def test_on_a_bound_one_sided_products_step_inward_and_what_leaves_to_both_sides_is_refused(
    name: str,
) -> None:
    problem = gradmark.from_function(lambda x: np.sum(x**2), np.array([0.0, 1.0]), bounds=(0.0, 1.0))
    inward, along = ({"x": np.array(v)} for v in ([1.0, -1.0], [1.0, 1.0]))
    if name in ONE_SIDED:
        # Truncation: h |f''| with h = eps^(1/2) of sizes of at most 1.
        assert product(name, problem, inward) == pytest.approx(-2, abs=4 * epsilon("float64") ** 0.5)
        with pytest.raises(gradmark.UsageError, match=r"`x` lies on a bound of the domain .* to both sides"):
            product(name, problem, along)
        return
    for v in (inward, along):
        with pytest.raises(gradmark.UsageError, match=r"`x` lies on a bound of the domain .* to both sides"):
            product(name, problem, v)


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_difference_of_outputs_is_said_in_a_sentence(name: str) -> None:
    problem, v = build("mlp", Arrays(dtype="float32")), {"x": np.array([1.0, 1.0])}
    for hyper, reason in (
        ({"rule": "noise"}, "rule=noise measures the loss, and a jvp is of the outputs"),
        (
            {"accumulate": "float64"},
            "accumulate=float64 says how a loss is added up, and a jvp is of the out",
        ),
    ):
        method = gradmark.get_method(name, **hyper)
        assert method.claims.wants == {"gradient"} and method.supports(problem, "jvp").startswith(reason)
    edge = gradmark.from_function(lambda x: np.sum(np.log(x)), np.array([1e-12, 1.0]))
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(gradmark.UsageError, match="outputs are finite at the point and not a step beside it"),
    ):
        product(name, edge, {"x": -v["x"]} if name == "forward_difference" else v)
    single = gradmark.from_function(lambda x: np.float32(np.sum(np.exp(x))), np.ones(2))
    with pytest.raises(
        gradmark.UsageError, match="the outputs come in float32 and the parameters are float64"
    ):
        product(name, single, v)


def test_the_complex_step_refuses_outputs_that_are_not_analytic_unless_it_is_told_not_to_ask() -> None:
    squared = gradmark.from_function(lambda x: np.stack([np.sum(x), np.vdot(x, x)])[1], np.array([1.0, 2.0]))
    v = {"x": np.array([1.0, 1.0])}
    for ask in (
        lambda **hyper: product("complex_step", squared, v, **hyper),
        lambda **hyper: jacobian("complex_step", squared, **hyper)["x"],
    ):
        with pytest.raises(gradmark.UsageError, match=r"an output changes by 0 .* is not analytic"):
            ask()
        assert not np.any(ask(check=False))
