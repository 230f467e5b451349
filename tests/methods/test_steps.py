"""The step rules by themselves."""

import numpy as np
import pytest

from gradmark.arrays import Arrays, to_numpy
from methods.finite_difference.steps import (
    central_rule,
    complex_rule,
    forward_rule,
    resolved,
    scale,
    towards,
    wanted,
    within,
)

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
