"""Initial weights: variances by exact chi-square tests, orthogonality exactly, uniformity of the rotation."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

import gradmark
from problems.initialisations import INITIALISATIONS

FAN_IN, FAN_OUT = 40, 25
VARIANCES = {"xavier": 2 / (FAN_IN + FAN_OUT), "he": 2 / FAN_IN, "lecun": 1 / FAN_IN, "normal": 1.0}
# Each statistical test below accuses a right generator once in a million seeds; the seeds are fixed.
FALSE_ALARM = 1e-6


def drawn(name: str, fan_in: int = FAN_IN, fan_out: int = FAN_OUT, seed: int = 0) -> Any:
    return INITIALISATIONS[name](np.random.default_rng(seed), fan_in, fan_out)


@pytest.mark.parametrize("name", VARIANCES)
def test_weights_are_normal_with_the_stated_variance(name: str) -> None:
    weights = np.stack([drawn(name, seed=seed) for seed in range(20)]) / VARIANCES[name] ** 0.5
    # The sum of n squared standard normal numbers follows chi-square with n degrees of freedom, exactly.
    square = stats.chi2(weights.size).cdf(np.sum(weights**2))
    assert FALSE_ALARM / 2 < square < 1 - FALSE_ALARM / 2
    assert stats.kstest(weights.ravel(), "norm").pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", VARIANCES)
def test_a_variance_wrong_by_a_tenth_would_be_seen(name: str) -> None:
    weights = np.stack([drawn(name, seed=seed) for seed in range(20)]) / (1.1 * VARIANCES[name]) ** 0.5
    assert stats.chi2(weights.size).cdf(np.sum(weights**2)) < FALSE_ALARM / 2


@pytest.mark.parametrize(("fan_in", "fan_out"), [(40, 25), (25, 40), (30, 30), (1, 7), (7, 1)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(fan_in: int, fan_out: int) -> None:
    weight = drawn("orthogonal", fan_in, fan_out)
    assert weight.shape == (fan_out, fan_in)
    gram = weight @ weight.T if fan_out <= fan_in else weight.T @ weight
    # Householder QR is orthogonal to a small multiple of the number of reflections times epsilon.
    assert np.max(np.abs(gram - np.eye(len(gram)))) <= 4 * max(fan_in, fan_out) * np.finfo(float).eps


def test_orthogonal_weights_are_uniform_not_just_orthogonal() -> None:
    """LAPACK's Q alone has a first entry of one sign; a uniform rotation has either sign equally often."""
    positive = sum(drawn("orthogonal", 5, 5, seed)[0, 0] > 0 for seed in range(200))
    assert stats.binomtest(positive, 200).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_gain_multiplies_the_weights_and_biases_start_at_zero(name: str) -> None:
    def parameters(gain: float) -> dict[str, Any]:
        problem = gradmark.get_problem("mlp", widths=(64, 8, 10), initialisation=name, gain=gain)
        return dict(problem.parameters)

    once, thrice = parameters(1.0), parameters(3.0)
    for key, array in once.items():
        np.testing.assert_array_equal(thrice[key], 3 * array)
        assert key.endswith("weight") or not np.any(array)
