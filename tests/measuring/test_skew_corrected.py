"""A mean of skewed numbers: what the corrected test promises in the far tail, and that Student's t breaks it.

The tails are importance-sampled: chi-square numbers of another scale, weighted by their likelihood ratio.
"""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from gradmark.measuring.skew_corrected import (
    FEWEST,
    RESERVE,
    corrected_interval,
    mean_test,
    too_skewed,
)

PATHS = 1500


def tail(degrees: int, number: int, alpha: float, side: int, corrected: bool) -> float:
    """P(the one-sided p-value <= alpha) / alpha for the mean of `number` chi-square numbers."""
    random = np.random.default_rng([degrees, number, side + 1])
    scale = 1 + side * 0.9 * stats.norm.isf(alpha) * np.sqrt(2 / (number * degrees))
    hits = 0.0
    for _ in range(PATHS):
        x = random.gamma(degrees / 2, 2 / degrees * scale, number)
        log_weight = np.sum(-degrees / 2 * x * (1 - 1 / scale)) + number * degrees / 2 * np.log(scale)
        hits += np.exp(log_weight) * (p_value(x, side, corrected) <= alpha)
    return hits / PATHS / alpha


def p_value(x: Any, side: int, corrected: bool) -> float:
    if corrected:
        tested = mean_test(x, 1.0)
        return tested.low if side < 0 else tested.high
    t = (np.mean(x) - 1) / (np.std(x, ddof=1) / np.sqrt(len(x)))
    return float(stats.t.sf(side * t, len(x) - 1))


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("alpha", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("degrees", [1, 32])
def test_the_far_tail_keeps_within_its_reserve(degrees: int, alpha: float, side: int) -> None:
    assert tail(degrees, FEWEST, alpha, side, corrected=True) <= RESERVE


def test_students_t_is_wrong_there_by_far_more() -> None:
    assert tail(1, FEWEST, 1e-6, -1, corrected=False) > 20 * RESERVE


def test_p_values_of_a_true_mean_are_uniform() -> None:
    random = np.random.default_rng(1)
    p_values = [mean_test(random.chisquare(8, FEWEST), 8.0).p_value for _ in range(1000)]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_a_mean_that_is_off_is_found() -> None:
    x = 1.1 * np.random.default_rng(2).chisquare(32, 4096) / 32
    tested = mean_test(x, 1.0)
    assert tested.high < 1e-12 < 0.99 < tested.low


def test_slack_forgives_what_it_says_and_no_more() -> None:
    x = 1.01 + 1e-3 * np.random.default_rng(3).standard_normal(1000)
    assert mean_test(x, 1.0, slack=0.02).p_value == 1.0
    assert mean_test(x, 1.0, slack=0.005).p_value < 1e-12


def test_equal_values_are_right_or_wrong_without_chance() -> None:
    assert mean_test(np.ones(FEWEST), 1.0).p_value == 1.0
    assert mean_test(np.zeros(FEWEST), 1.0).p_value == 0.0
    assert mean_test(np.zeros(FEWEST), 1.0).low == 0.0


def test_numbers_that_are_not_finite_have_no_mean() -> None:
    with np.errstate(invalid="ignore"):
        assert mean_test([1.0, np.nan, 2.0], 1.0).p_value == 0.0


def test_a_mean_made_up_of_a_few_numbers_is_not_tested() -> None:
    x = np.ones(FEWEST)
    x[0] = 1e9
    assert too_skewed(x) and mean_test(x, 5.0).p_value == 1.0


def test_the_interval_covers_as_often_as_it_says_where_students_does_not() -> None:
    random = np.random.default_rng(4)
    samples = random.chisquare(1, (2000, 30))
    covered = np.mean([1.0 in corrected_interval(x, 0.98) for x in samples])
    half = stats.t.ppf(0.99, 29) * samples.std(axis=1, ddof=1) / np.sqrt(30)
    students = np.mean(np.abs(samples.mean(axis=1) - 1) <= half)
    # Binomial standard error 0.003.
    assert covered > students + 0.01 and covered > 0.95


def test_the_interval_is_what_the_test_does_not_reject() -> None:
    x = np.random.default_rng(5).chisquare(2, FEWEST)
    interval = corrected_interval(x, 0.98)
    for end in (interval.low, interval.high):
        assert mean_test(x, end).p_value == pytest.approx(0.02, rel=0.02)
