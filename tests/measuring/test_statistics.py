"""Intervals against textbook numbers, and their coverage against the binomial law."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from gradmark.measuring.statistics import (
    fisher_quantile,
    mean_interval,
    median_interval,
    ratio_interval,
    root_mean_square_interval,
    student_quantile,
)

TRIALS = 400
LEAST = 0.95 - 4 * math.sqrt(0.95 * 0.05 / TRIALS)
"""A 95 % interval falls below this coverage in 400 trials once in 30 000 times."""


def covered(
    truth: float, draw: Callable[[np.random.Generator], np.ndarray], interval: Callable[..., object]
) -> float:
    random = np.random.default_rng(7)
    return float(np.mean([truth in interval(draw(random).tolist()) for _ in range(TRIALS)]))


def test_the_mean_has_students_interval() -> None:
    # Mean 3, standard deviation sqrt(5/2), five values, t(0.975; 4) = 2.776 (any table).
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.value == 3
    assert found.high - 3 == pytest.approx(2.776 * math.sqrt(2.5 / 5), rel=1e-3)
    assert found.low + found.high == pytest.approx(6)


def test_quantiles_are_those_of_the_tables() -> None:
    assert student_quantile(0.95, 1) == pytest.approx(12.706, rel=1e-4)
    assert fisher_quantile(0.95, 2, 4) == pytest.approx(6.944, rel=1e-4)
    # F(1, k) is the square of t(k).
    assert fisher_quantile(0.95, 1, 7) == pytest.approx(student_quantile(0.95, 7) ** 2)


def test_one_value_has_no_interval() -> None:
    assert (mean_interval([2.0]).low, mean_interval([2.0]).high) == (-math.inf, math.inf)
    assert (ratio_interval([2.0]).low, ratio_interval([2.0]).high) == (0.0, math.inf)


@pytest.mark.parametrize("count", [2, 5, 6, 8, 15, 30])
def test_the_interval_of_a_median_covers_it_however_few_the_values(count: int) -> None:
    assert covered(0.0, lambda random: random.standard_normal(count), median_interval) >= LEAST


@pytest.mark.parametrize("count", [6, 15, 30])
def test_the_interval_of_a_median_covers_it_under_skewed_noise(count: int) -> None:
    assert covered(math.log(2), lambda random: random.exponential(size=count), median_interval) >= LEAST


def test_the_interval_of_a_mean_covers_it() -> None:
    assert covered(1.0, lambda random: 1 + random.standard_normal(4), mean_interval) >= LEAST


def test_the_interval_of_a_median_narrows_with_more_values() -> None:
    values = np.random.default_rng(0).standard_normal(200).tolist()
    few, many = median_interval(values[:10]), median_interval(values)
    assert many.high - many.low < (few.high - few.low) / 2


def test_a_ratio_and_its_inverse_are_the_same_statement() -> None:
    ratios = np.exp(np.random.default_rng(3).standard_normal(21)).tolist()
    one, inverse = ratio_interval(ratios), ratio_interval([1 / ratio for ratio in ratios])
    assert one.value == pytest.approx(1 / inverse.value)
    # The ends are quantiles of the same 2000 resamples, which interpolate alike from both sides.
    assert one.low == pytest.approx(1 / inverse.high)


def test_the_root_mean_square_is_not_the_mean() -> None:
    found = root_mean_square_interval([3.0, 4.0, 3.0, 4.0])
    assert found.value == pytest.approx(math.sqrt(12.5))
    assert found.low < found.value < found.high


def test_a_root_mean_square_never_reaches_below_zero() -> None:
    assert root_mean_square_interval([0.001, 5.0]).low == 0.0


def test_the_same_values_give_the_same_interval() -> None:
    values = [1.0, 5.0, 2.0, 8.0, 3.0, 4.0, 7.0]
    assert median_interval(values) == median_interval(values)
