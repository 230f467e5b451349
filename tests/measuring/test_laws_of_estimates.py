"""The exact laws of estimates made with normal directions, and the e-process for their scale, simulated."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gradmark.measuring.chi_square import degrees_of_freedom, scale_interval, two_sided
from gradmark.measuring.e_process import anytime_p_value, detectable_scale, log_e_value

RANDOM_SEED = 11


def estimates(number: int, directions: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(RANDOM_SEED)
    g = random.standard_normal(size)
    e = random.standard_normal((number, directions, size))
    return np.einsum("kmp,km->kp", e, e @ g) / directions, g


def along_and_across(found: np.ndarray, g: np.ndarray, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """The two numbers of each estimate (K, P) that the laws in `gradmark.measuring.chi_square` speak of."""
    square = g @ g
    scale = found @ g / square
    across = np.sum((found - scale[:, None] * g) ** 2, axis=1) / square
    return degrees * scale, degrees * across / scale


@pytest.mark.parametrize(("directions", "size"), [(1, 2), (3, 7), (16, 40)])
def test_scale_and_the_part_across_are_chi_square_and_independent(directions: int, size: int) -> None:
    found, g = estimates(2000, directions, size)
    along, across = along_and_across(found, g, directions)
    assert stats.kstest(along, stats.chi2(directions).cdf).pvalue > 1e-3
    assert stats.kstest(across, stats.chi2(size - 1).cdf).pvalue > 1e-3
    assert stats.spearmanr(along, across).pvalue > 1e-3


def test_one_sided_moves_about_their_mean_lose_one_degree_of_freedom() -> None:
    random, number, size = np.random.default_rng(3), 12, 9
    g, e = random.standard_normal(size), random.standard_normal((2000, number, size))
    c = e @ g
    found = np.einsum("kmp,km->kp", e, c - c.mean(axis=1, keepdims=True)) / (number - 1)
    along, across = along_and_across(found, g, number - 1)
    assert stats.kstest(along, stats.chi2(number - 1).cdf).pvalue > 1e-3
    assert stats.kstest(across, stats.chi2(size - 1).cdf).pvalue > 1e-3


def test_only_the_variance_of_normal_directions_says_their_law() -> None:
    assert degrees_of_freedom(lambda size: size + 1, 16) == 16
    assert degrees_of_freedom(lambda size: (size + 1) * 8 / 15, 8) == pytest.approx(15)
    assert degrees_of_freedom(lambda size: size - 1 + 1e-9, 16) is None
    assert degrees_of_freedom(lambda size: 0.0, 16) is None


def test_a_total_that_cannot_be_chi_square_has_no_chance() -> None:
    assert two_sided(math.nan, 5) == 0.0 and two_sided(-1.0, 5) == 0.0
    assert scale_interval(0.0, 1.0).low == 0.0


def test_the_closed_form_is_the_mixture_it_says() -> None:
    for total, degrees in ((3.0, 5.0), (40.0, 20.0), (7.0, 20.0)):

        def mixed(t: float, total: float = total, degrees: float = degrees) -> float:
            return float(t ** (degrees / 2) * np.exp((1 - t) * total / 2) * stats.gamma(0.5, scale=2).pdf(t))

        assert log_e_value(total, degrees) == pytest.approx(np.log(integrate.quad(mixed, 0, 60)[0]), abs=1e-6)


@pytest.mark.parametrize("degrees", [1, 4, 25])
def test_its_mean_is_one_whatever_the_degrees(degrees: int) -> None:
    def weighted(x: float) -> float:
        return math.exp(log_e_value(x, degrees) + stats.chi2.logpdf(x, degrees))

    pieces = [(0, 1), (1, 100), (100, math.inf)]
    assert sum(integrate.quad(weighted, *piece)[0] for piece in pieces) == pytest.approx(1, abs=1e-4)


def test_looking_after_every_number_keeps_the_false_alarms() -> None:
    random, paths, alpha = np.random.default_rng(5), 4000, 0.02
    totals = np.cumsum(random.chisquare(1, (paths, 3000)), axis=1)
    alarms = np.sum(np.max(log_e_value(totals, np.arange(1, 3001)), axis=1) >= -math.log(alpha))
    assert stats.binomtest(int(alarms), paths, alpha, alternative="greater").pvalue > 1e-3
    assert alarms > 0


@pytest.mark.parametrize(
    ("scale", "within"), [(2.0, 300), (0.5, 400), (-1.0, 1), (1.1, 16_000), (0.9, 16_000)]
)
def test_faults_stop_it_within(scale: float, within: int) -> None:
    random, degrees = np.random.default_rng(6), np.arange(1, within + 1)
    stopped = [anytime_p_value(np.cumsum(scale * random.chisquare(1, within)), degrees) for _ in range(50)]
    assert np.sum(np.array(stopped) <= 1e-6) >= 48


def test_what_it_calls_detectable_is_detected_with_its_power() -> None:
    random, degrees, alpha = np.random.default_rng(7), 8192, 1e-6
    size = detectable_scale(degrees, alpha, power=0.9)
    for scale in (1 + size, 1 - size):
        found = log_e_value(scale * random.chisquare(degrees, 2000), degrees) >= -math.log(alpha)
        assert np.mean(found) > 0.9 - 3 * math.sqrt(0.09 / 2000)
    half = log_e_value((1 + size / 2) * random.chisquare(degrees, 2000), degrees) >= -math.log(alpha)
    assert np.mean(half) < 0.1
