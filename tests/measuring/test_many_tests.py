"""Sharing a false-alarm probability, equivalence, rates and exact limits, against brute force."""

import itertools

import numpy as np
import pytest
from scipy import stats

from gradmark.measuring.binomial import binomial_interval
from gradmark.measuring.equivalence import FALSE_PASS, confidence, equivalent
from gradmark.measuring.holm import holm
from gradmark.measuring.rates import error_rate
from gradmark.measuring.skew_corrected import corrected_interval
from gradmark.measuring.spending import anytime, at_look


def test_holm_is_the_closure_of_bonferroni() -> None:
    """Closed testing by definition: reject one if Bonferroni rejects each set of tests that holds it."""
    random = np.random.default_rng(0)
    for _ in range(20):
        p = random.uniform(0, 0.2, 4)
        sets = [s for r in range(1, 5) for s in itertools.combinations(range(4), r)]
        closed = [max(min(1.0, len(s) * min(p[list(s)])) for s in sets if i in s) for i in range(4)]
        assert holm(list(p)) == pytest.approx(closed)


def test_holm_keeps_the_chance_of_any_false_rejection() -> None:
    p = np.random.default_rng(1).uniform(size=(4000, 5))
    false = sum(min(holm(list(row))) <= 0.05 for row in p)
    assert stats.binomtest(false, 4000, 0.05, alternative="greater").pvalue > 1e-3


def test_an_anytime_p_value_says_what_spending_decides() -> None:
    random = np.random.default_rng(2)
    for _ in range(200):
        p, alpha = list(random.uniform(0, 0.1, 5)), 0.03
        decided = any(each <= at_look(alpha, look) for look, each in enumerate(p, start=1))
        assert (anytime(p) <= alpha) == decided


def test_what_is_off_by_the_margin_is_seldom_called_equivalent() -> None:
    random, margin, runs = np.random.default_rng(3), 0.05, 1500
    called = {1.05: 0, 1.0: 0}
    for mean, _ in itertools.product(called, range(runs)):
        x = mean * random.chisquare(32, 1024) / 32
        called[mean] += equivalent(corrected_interval(x, confidence()), 1.0, margin)
    assert stats.binomtest(called[1.05], runs, FALSE_PASS, alternative="greater").pvalue > 1e-3
    assert called[1.0] > 0.95 * runs


def test_the_rate_of_an_error_is_found_with_its_interval() -> None:
    random, samples, covered, p_values = np.random.default_rng(4), np.array([16, 64, 256, 1024]), 0, []
    for _ in range(300):
        found = error_rate(samples, random.chisquare(3, (64, 4)) / samples)
        covered += -0.5 in found.slope
        p_values.append(found.p_value)
    assert stats.binomtest(covered, 300, 0.95).pvalue > 1e-3
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("slope", [-0.4, -0.6, 0.0])
def test_another_rate_is_told_apart(slope: float) -> None:
    samples = np.array([16.0, 64.0, 256.0, 1024.0])
    errors = np.random.default_rng(5).chisquare(3, (256, 4)) * samples ** (2 * slope)
    found = error_rate(samples, errors, confidence=0.9999)
    assert slope in found.slope and -0.5 not in found.slope and found.p_value < 1e-9


def test_averaging_logarithms_would_give_another_slope() -> None:
    """Few samples spread more: their mean logarithm lies further below the logarithm of their mean."""
    random, samples = np.random.default_rng(6), np.array([1, 4, 16, 64])
    errors = np.stack([random.chisquare(n, 4000) / n / n for n in samples], axis=1)
    log = np.log(samples) - np.mean(np.log(samples))
    of_logs = 0.5 * np.mean(np.log(errors), axis=0) @ log / (log @ log)
    assert -0.5 in error_rate(samples, errors).slope
    assert abs(of_logs + 0.5) > 0.05


def test_exact_binomial_limits_cover_at_least_as_often_as_they_say() -> None:
    for p, n in itertools.product((0.001, 0.03, 0.5), (10, 300)):
        law = stats.binom(n, p)
        covered = sum(law.pmf(k) for k in range(n + 1) if p in binomial_interval(k, n))
        assert covered >= 0.95
