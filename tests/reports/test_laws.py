"""Fitted laws of growth and their verdicts."""

import math

import numpy as np
import pytest

from gradmark.measuring.exponent import compare, margin, widest
from reports.laws import fitted, slope
from reports.run import Run


def test_evaluations_grow_with_p_for_differences_and_not_for_reverse_mode(full: Run) -> None:
    claims = {
        "backprop": 0.0,
        "central_difference": 1.0,
        "forward_difference": 1.0,
        "tangent": 1.0,
        "gaussian_es": 0.0,
    }
    fits = [fit for fit in full.slopes if fit.series.variant in claims]
    assert {fit.series.variant for fit in fits} == set(claims)
    for fit in fits:
        # P + 1 evaluations: from P = 100 on the slope of log(P + 1) over log P is within 1/P of one.
        assert fit.exponent == pytest.approx(claims[fit.series.variant], abs=0.01)
        assert fit.verdict == "agrees"


def test_time_laws_find_the_linear_growth_under_the_overhead(full: Run) -> None:
    fits = [
        fit for fit in full.laws if fit.series.variant == "backprop" and fit.series.scene.startswith("mlp")
    ]
    assert len(fits) == 4  # three backends, one of them in two dtypes
    for fit in fits:
        assert fit.law is not None
        assert fit.law.low < 1.0 < fit.law.high
        assert fit.law.naive_slope < fit.law.exponent
        assert fit.verdict == "agrees"


def test_a_wrong_claim_disagrees() -> None:
    sizes = [1e2, 1e3, 1e4, 1e5]
    _, low, high = slope(sizes, [size**1.5 for size in sizes])
    assert compare(low, high, 1.0) == "disagrees"


@pytest.mark.parametrize(
    ("low", "high", "claim", "verdict"),
    [
        (0.98, 1.02, 1.0, "agrees"),
        (1.0 + 0.9 * margin(), 1.3, 1.0, "agrees"),
        (1.0 + 1.1 * margin(), 1.3, 1.0, "disagrees"),
        (0.2, 0.2 + 2.1 * widest(), 1.0, "can't tell"),
        (2.0, 5.0, 1.0, "disagrees"),
        (math.nan, math.nan, 1.0, "can't tell"),
        (0.9, 1.1, None, "no claim"),
    ],
)
def test_verdicts(low: float, high: float, claim: float | None, verdict: str) -> None:
    assert compare(low, high, claim) == verdict


def test_the_slope_of_a_power_is_its_exponent_with_an_interval_that_shrinks_to_it() -> None:
    sizes = [10.0, 100.0, 1000.0]
    # Logarithms of numbers up to 1e6 are exact to 14 u, divided by a spread of log sizes of 2.3.
    assert slope(sizes, [size**2 for size in sizes]) == pytest.approx((2.0, 2.0, 2.0), abs=1e-6)


def test_the_interval_of_a_slope_covers_the_truth_as_often_as_it_says() -> None:
    random, sizes = np.random.default_rng(2), np.geomspace(1e2, 1e5, 6)
    hits = 0
    for _ in range(400):
        _, low, high = slope(sizes.tolist(), (sizes * np.exp(0.1 * random.standard_normal(6))).tolist())
        hits += low < 1 < high
    # Binomial(400, 0.95): mean 380, sd 4.4.
    assert abs(hits - 380) < 4 * 4.4


def test_constants_have_slope_zero_and_few_sizes_no_law() -> None:
    assert slope([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == (0.0, 0.0, 0.0)
    law, reason = fitted([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert law is None
    assert "3 sizes" in reason
