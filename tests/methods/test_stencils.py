"""Stencils by themselves, and the differences that are made of them."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, epsilon
from methods.finite_difference.stencils.weights import (
    central,
    fornberg,
    highest_order,
    of_derivative,
    one_sided,
    pairs,
)
from tests.methods.cases import CASES, flat


def difference(name: str, loss: Any, at: Any, bounds: Any = None, **hyper: Any) -> Any:
    problem = gradmark.from_function(loss, np.asarray(at), bounds=bounds)
    return gradmark.get_method(name, **hyper).prepare(problem)(problem.parameters).gradient["x"]


@pytest.mark.parametrize(
    ("offsets", "derivative"), [((0, 1), 1), ((-3, -1, 0, 2, 5), 2), ((0, 1, 2, 4, 8), 3)]
)
def test_fornbergs_weights_differentiate_all_powers_exactly(
    offsets: tuple[int, ...], derivative: int
) -> None:
    weights = fornberg(offsets, derivative)
    for power in range(len(offsets)):
        total = sum(
            weight * Fraction(offset) ** power for offset, weight in zip(offsets, weights, strict=True)
        )
        assert total == (math.factorial(power) if power == derivative else 0)


def test_central_weights_have_their_closed_form_at_every_order() -> None:
    for order in (2, 4, 6, highest_order()):
        m, stencil = order // 2, central(order)
        for k, weight in zip(stencil.offsets, stencil.weights, strict=True):
            size = Fraction(math.factorial(m) ** 2, math.factorial(m - abs(k)) * math.factorial(m + abs(k)))
            assert weight == (-1) ** (abs(k) + 1) * size / k
        assert sum(weight for _, weight in pairs(stencil)) == pytest.approx(1)


def test_errors_of_stencils_have_their_known_constants() -> None:
    constants = [one_sided().truncation, central(2).truncation, central(4).truncation, central(6).truncation]
    assert constants == pytest.approx([1 / 2, 1 / 6, 1 / 30, 1 / 140])
    assert [one_sided().noise, central(2).noise] == pytest.approx([math.sqrt(2), math.sqrt(0.5)])
    assert of_derivative(2).offsets == (-1, 0, 1) and of_derivative(5).offsets == (-3, -2, -1, 1, 2, 3)


def test_orders_end_where_float64_loses_the_outermost_weight() -> None:
    last, beyond = (abs(pairs(central(order))[-1][1]) for order in (highest_order(), highest_order() + 2))
    assert beyond <= epsilon("float64") / 2 < last


@pytest.mark.parametrize("order", [2, 4, 6, 10])
def test_a_stencil_is_exact_on_polynomials_of_its_order(order: int) -> None:
    at = np.array([0.5, -1.0, 1.25])
    found = difference("stencil_difference", lambda x: np.sum(x**order + x), at, order=order, step=0.25)
    # Values of size (|x| + order/8)^order, each rounded to half an epsilon, over the step.
    size = np.max((np.abs(at) + order / 8) ** order)
    np.testing.assert_allclose(
        found, order * at ** (order - 1) + 1, atol=8 * epsilon("float64") * size / 0.25
    )


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_the_error_falls_with_the_order_in_the_step(order: int) -> None:
    at, steps = np.array([0.5, -1.0], np.longdouble), np.geomspace(0.05, 0.2, 4)
    found = [
        difference("stencil_difference", lambda x: np.sum(np.exp(x)), at, order=order, step=float(h))
        for h in steps
    ]
    errors = [float(np.sum(np.abs(each - np.exp(at)))) for each in found]
    assert gradmark.get_method("stencil_difference", order=order).claims.exactness.order == order
    # The next term of the series is smaller by h^2 times a number below 1.
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(order, abs=2 * steps[-1] ** 2)


def test_order_four_is_the_five_point_formula() -> None:
    h, at = 0.125, np.array([0.75, -2.0])
    found = difference("stencil_difference", lambda x: np.sum(np.sin(x)), at, step=h)
    other = at[::-1]

    def f(x: Any) -> Any:
        return np.sin(x) + np.sin(other)

    formula = (-f(at + 2 * h) + 8 * f(at + h) - 8 * f(at - h) + f(at - 2 * h)) / (12 * h)
    np.testing.assert_allclose(found, formula, atol=8 * epsilon("float64") / h)


def test_order_two_is_the_central_difference_to_the_bit() -> None:
    for dtype in ("float32", "float64"):
        problem = CASES["mlp tanh mse"](Arrays(dtype=dtype))
        one, other = (
            gradmark.get_method(name, **order).prepare(problem)(problem.parameters).gradient
            for name, order in (("central_difference", {}), ("stencil_difference", {"order": 2}))
        )
        assert np.array_equal(flat(one), flat(other))


def test_a_backward_difference_is_the_mirror_of_a_forward_one() -> None:
    at = np.array([0.5, -1.25, 3.0])
    backward = difference("backward_difference", lambda x: np.sum(np.exp(x)), at)
    assert np.array_equal(backward, -difference("forward_difference", lambda x: np.sum(np.exp(-x)), -at))


def test_at_a_kink_forward_and_backward_are_the_two_one_sided_derivatives() -> None:
    def kinked(x: Any) -> Any:
        return np.sum(np.maximum(x, -3 * x))

    assert difference("forward_difference", kinked, np.zeros(2)).tolist() == [1, 1]
    assert difference("backward_difference", kinked, np.zeros(2)).tolist() == [-3, -3]


@pytest.mark.parametrize("name", ["backward_difference", "stencil_difference"])
def test_no_evaluation_leaves_the_bounds(name: str) -> None:
    def loss(x: Any) -> Any:
        assert np.all(x > 0) and np.all(x < 1)
        return np.sum(np.log(x) + np.log1p(-x))

    for hyper in ({}, {"step": 0.7}, {"rule": "noise"}, {"rule": "gill"}, {"rule": "shi"}):
        gradient = difference(name, loss, [1e-9, 0.3, 1 - 1e-9], (0.0, 1.0), **hyper)
        assert np.sign(gradient).tolist() == [1, 1, -1]


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_on_a_bound_backward_differences_step_inward_and_stencils_refuse(edge: float) -> None:
    backward = difference("backward_difference", lambda x: np.sum(x**3), [edge, 0.5], (0.0, 1.0))
    # Truncation h |f''| / 2 with h = eps^(1/2) of a scale below 1, and f'' at most 6.
    np.testing.assert_allclose(backward, [3 * edge, 0.75], atol=3 * epsilon("float64") ** 0.5)
    with pytest.raises(gradmark.UsageError, match="`x` lies on a bound"):
        difference("stencil_difference", lambda x: np.sum(x**3), [edge, 0.5], (0.0, 1.0))


@pytest.mark.parametrize("name", ["forward_difference", "backward_difference", "stencil_difference"])
def test_a_step_that_would_vanish_beside_x_is_lengthened(name: str) -> None:
    for dtype in (np.float32, np.float64):
        gradient = difference(name, lambda x: np.sum(x / 1024), np.array([3e8], dtype), step=1e-9)
        # x / 1024 is exact, and so is each difference.
        np.testing.assert_allclose(gradient, 1 / 1024, rtol=4 * epsilon(gradient.dtype.name))
        assert gradient.dtype == dtype
