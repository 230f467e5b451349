"""The step rules by themselves."""

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from methods.finite_difference.steps import (
    central_rule,
    complex_rule,
    forward_rule,
    lengths,
    resolved,
    scale,
    towards,
    wanted,
    wanted_alone,
    within,
)
from tests.methods.cases import relative_error

PLACES = [
    Arrays("numpy", "cpu", "float64"),
    Arrays("numpy", "cpu", "longdouble"),
    Arrays("numpy", "cpu", "float32"),
    Arrays("torch", "cpu", "bfloat16"),
    Arrays("torch", "cpu", "float16"),
]
EVERYWHERE = pytest.mark.parametrize("arrays", PLACES, ids=lambda arrays: arrays.dtype)


def test_rules_balance_truncation_and_rounding() -> None:
    for epsilon in (2.0**-7, 2.0**-23, 2.0**-52):
        assert forward_rule(epsilon) ** 2 == pytest.approx(epsilon)
        assert central_rule(epsilon) ** 3 == pytest.approx(epsilon)
        assert complex_rule(epsilon) ** 2 == pytest.approx(epsilon**3)


@EVERYWHERE
def test_the_scale_is_the_root_mean_square(arrays: Arrays) -> None:
    numbers = np.array([3.0, -4.0, 0.0, 12.0])
    assert float(scale(arrays.xp, arrays.array(numbers))) == pytest.approx(6.5, rel=4 * arrays.epsilon)


@EVERYWHERE
def test_the_scale_neither_underflows_nor_overflows(arrays: Arrays) -> None:
    for size in (2.0**-14, 2.0**15):
        numbers = arrays.array(size * np.array([1.0, -1.0, 1.0]))
        assert float(scale(arrays.xp, numbers)) == pytest.approx(size, rel=4 * arrays.epsilon)


@EVERYWHERE
def test_an_array_of_zeros_has_scale_one(arrays: Arrays) -> None:
    assert float(scale(arrays.xp, arrays.zeros((3,)))) == 1


@EVERYWHERE
@pytest.mark.parametrize("step", [None, 1e-7, 1e-300, 0.5])
def test_every_step_moves_every_coordinate_both_ways(arrays: Arrays, step: float | None) -> None:
    spread = np.array([0.0, 1.0, -1.0, 37.0, 1e-4, -1e3, 3e4])
    x = arrays.array(spread)
    for rule in (forward_rule, central_rule):
        h = resolved(arrays, x, wanted(arrays, x, rule, step))
        for moved in (x + h, x - h):
            assert bool(arrays.xp.all(moved != x)) and bool(arrays.xp.all(arrays.xp.isfinite(moved)))


@EVERYWHERE
def test_a_given_step_is_used_as_it_is_where_the_dtype_resolves_it(arrays: Arrays) -> None:
    x = arrays.array([0.0, 1.0, -2.0])
    h = resolved(arrays, x, wanted(arrays, x, central_rule, 0.125))
    assert to_numpy(h).tolist() == [0.125, 0.125, 0.125]


def test_steps_stay_within_the_bounds() -> None:
    x = np.array([0.1, 0.5, 0.9])
    assert within(np, np.full(3, 0.4), x, (0.0, 1.0)) == pytest.approx([0.05, 0.25, 0.05])
    assert towards(np, np.full(3, 0.4), x, (0.0, 1.0)) == pytest.approx([0.4, 0.25, -0.4])
    assert towards(np, np.full(3, 0.4), x, (0.0, np.inf)) == pytest.approx([0.4, 0.4, 0.4])
    assert within(np, np.full(3, 0.4), x, None) == pytest.approx([0.4, 0.4, 0.4])


@EVERYWHERE
def test_an_entry_of_a_matrix_goes_as_far_as_a_sum_of_them_does_and_one_of_a_vector_as_far_as_its_size(
    arrays: Arrays,
) -> None:
    signs = np.resize([1.0, -1.0], (4, 4))
    for size, length in ((2.0**-6, 2.0**-5), (0.75, 1.0), (8.0, 8.0)):
        for x, expected in ((size * signs, length), (size * signs[0], size)):
            array = arrays.array(x)
            found = np.float64(to_numpy(lengths(arrays.xp, array)))
            assert found == pytest.approx(expected, rel=4 * arrays.epsilon)
            step = np.float64(to_numpy(wanted_alone(arrays, array, central_rule, None)))
            assert step == pytest.approx(central_rule(arrays.epsilon) * expected, rel=8 * arrays.epsilon)


def test_default_steps_lose_no_more_digits_of_a_wide_network_than_those_of_a_peer() -> None:
    problem = gradmark.get_problem(
        "mlp", widths=(16, 48, 48, 4), data="synthetic", loss="mse", initialisation="lecun", dtype="float32"
    )
    wide, errors = problem.to(dtype="float64"), []
    exact = gradmark.get_method("backprop").prepare(wide)(wide.parameters).gradient
    for name in ("central_difference", "scipy_difference"):
        found = gradmark.get_method(name).prepare(problem)(problem.parameters).gradient
        errors.append(relative_error(found, exact))
    # Both steps are eps^(1/3), of about a sum of a matrix's entries and of 1, and the errors are of chance.
    assert errors[0] <= 2 * errors[1]
