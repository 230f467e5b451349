"""The predicted curves against closed forms and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import theory

UNITS = {
    "float64": np.finfo(np.float64).eps,
    "float32": np.finfo(np.float32).eps,
    "float16": np.finfo(np.float16).eps,
}


@pytest.mark.parametrize("dtype", UNITS)
def test_the_unit_of_a_dtype_is_that_of_numpy(dtype: str) -> None:
    assert theory.epsilon(dtype) == UNITS[dtype]


def test_the_unit_of_an_unknown_dtype_is_not_guessed() -> None:
    assert theory.epsilon("posit16") is None


def test_cosine_law_is_that_of_simulated_antithetic_pairs() -> None:
    size, pairs, repetitions = 300, 30, 400
    random = np.random.default_rng(0)
    gradient = random.standard_normal(size)
    directions = random.standard_normal((repetitions, pairs, size))
    # On a linear loss a pair measures the slope along its direction exactly.
    estimates = np.einsum("rms,rm->rs", directions, directions @ gradient) / pairs
    cosines = estimates @ gradient / np.linalg.norm(estimates, axis=1) / np.linalg.norm(gradient)
    predicted = float(theory.cosine(np.array([float(pairs)]), size + 1)[0])
    # One estimate's cosine has sd cos (1 - cos^2) sqrt(1/2M + 1/2P); the law itself is exact up to O(1/M).
    standard_error = (
        predicted * (1 - predicted**2) * math.sqrt(0.5 / pairs + 0.5 / size) / math.sqrt(repetitions)
    )
    assert abs(cosines.mean() - predicted) < 4 * standard_error + predicted / (4 * pairs)


def test_error_law_is_that_of_simulated_antithetic_pairs() -> None:
    size, pairs, repetitions = 300, 30, 400
    random = np.random.default_rng(1)
    gradient = random.standard_normal(size)
    directions = random.standard_normal((repetitions, pairs, size))
    estimates = np.einsum("rms,rm->rs", directions, directions @ gradient) / pairs
    squares = ((estimates - gradient) ** 2).sum(axis=1) / (gradient @ gradient)
    predicted = float(theory.sampling_error(np.array([float(pairs)]), size + 1)[0])
    assert abs(squares.mean() - predicted**2) < 4 * squares.std() / math.sqrt(repetitions)


@given(st.floats(1, 1e6), st.floats(1, 1e9))
def test_the_variance_factor_is_recovered_from_the_cosine_it_gives(samples: float, factor: float) -> None:
    cosine = float(theory.cosine(np.array([samples]), factor)[0])
    # 1/cos^2 - 1 cancels where v << M: relative rounding is u (M + v) / v.
    assert theory.variance_factor(samples, cosine) == pytest.approx(
        factor, rel=1e-14 * (samples + factor) / factor * 8
    )


def test_rule_of_thumb_is_the_square_root_for_order_one_and_the_cube_root_for_order_two() -> None:
    assert theory.rule_of_thumb_step(1, 2.0**-52) == 2.0**-26
    assert theory.rule_of_thumb_step(2, 2.0**-24, scale=3.0) == pytest.approx(3 * 2.0**-8, rel=1e-15)


@given(st.integers(1, 4), st.floats(1e-3, 1e3), st.floats(1e-1, 1e3), st.sampled_from([2.0**-52, 2.0**-23]))
def test_the_best_step_is_where_truncation_and_rounding_balance(
    order: int, c: float, r: float, unit: float
) -> None:
    branches = theory.Branches(order, c, r)
    best = branches.best_step(unit)
    around = branches.error(best * np.array([0.99, 1.0, 1.01]), unit)
    assert around[1] <= around[0]
    assert around[1] <= around[2]


def test_branches_are_recovered_from_a_sweep_and_predict_another_dtype() -> None:
    steps = 10.0 ** np.arange(-12, -1)
    truth = theory.Branches(2, 0.3, 4.0)
    found = theory.fit_branches(2, steps, truth.error(steps, 2.0**-52), 2.0**-52)
    assert found is not None
    predicted, actual = found.error(steps, 2.0**-23), truth.error(steps, 2.0**-23)
    # The least squares are solved to rounding, magnified by a condition number near 10.
    assert predicted == pytest.approx(actual, rel=1e-12)


def test_a_sweep_that_shows_one_branch_alone_gives_no_branches() -> None:
    steps = 10.0 ** np.arange(-4.0, -1.0)
    assert theory.fit_branches(1, steps, steps, 2.0**-52) is None
    assert theory.fit_branches(1, steps[:2], steps[:2], 2.0**-52) is None


def test_a_slope_line_leaves_points_on_both_sides_in_balance() -> None:
    sizes, values = np.array([1e2, 1e3, 1e4]), np.array([3.0, 50.0, 400.0])
    residuals = np.log(values / theory.through(sizes, values, 1.0, sizes))
    assert abs(residuals.sum()) < 1e-14 * 10
    line = theory.through(sizes, values, 1.0, np.array([1e2, 1e5]))
    assert line[1] / line[0] == pytest.approx(1e3, rel=1e-14)
