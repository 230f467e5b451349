"""Extrapolated differences: values, error estimates, jumps and noise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradmark.reference.ladder import STEPS, Slopes, slopes
from gradmark.reference.noise import noise

LONG = np.longdouble
ROUNDING = float(np.finfo(LONG).eps)


def derivatives(
    function: Callable[[Any], Any], at: Any, unit: float = 1.0, rounding: float = ROUNDING
) -> Slopes:
    x, steps = np.asarray(at, LONG), unit * STEPS[:, None]
    scale = float(np.max(np.abs(function(x))))
    return slopes(
        function(x + steps), function(x - steps), function(x), steps * np.ones(x.size), rounding * scale
    )


POINTS = np.linspace(0.1, 3, 200)
SMOOTH = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "fast sine": (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
    "log": (lambda x: np.log(np.abs(x)), lambda x: 1 / x),
    "lorentzian": (lambda x: 1 / (1 + 25 * x**2), lambda x: -50 * x / (1 + 25 * x**2) ** 2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_estimated_error_bounds_the_true_one(name: str) -> None:
    function, derivative = SMOOTH[name]
    found = derivatives(function, POINTS)
    error = np.abs(found.value - derivative(POINTS.astype(LONG)))
    # As vectors the bound must hold; of single entries one in a hundred may be unlucky.
    assert np.linalg.norm(error) <= np.linalg.norm(found.error)
    assert np.mean(error <= found.error) >= 0.99


@pytest.mark.parametrize("name", SMOOTH)
def test_extrapolation_uses_most_of_the_digits(name: str) -> None:
    function, derivative = SMOOTH[name]
    found = derivatives(function, POINTS)
    scale = np.max(np.abs(derivative(POINTS)))
    # A plain central difference has the two-thirds power of the rounding at best; this must do better.
    assert np.max(found.error) < ROUNDING ** (2 / 3) * 100 * scale


def test_added_noise_is_in_the_estimate() -> None:
    random, level = np.random.default_rng(0), 1e-6

    def noisy(x: Any) -> Any:
        return np.sin(x) + level * random.standard_normal(np.shape(x))

    found = derivatives(noisy, POINTS, rounding=level)
    error = np.abs(found.value - np.cos(POINTS))
    assert np.linalg.norm(error) <= np.linalg.norm(found.error)
    assert np.median(found.error) < 1e-3


def test_smooth_functions_have_no_jump() -> None:
    for function, _ in SMOOTH.values():
        assert np.all(derivatives(function, POINTS).jump < 1e-9 * 1000)


@pytest.mark.parametrize("slope", [1e-6, 1.0, 1e6])
def test_the_jump_at_a_kink_is_the_difference_of_its_slopes(slope: float) -> None:
    def kinked(x: Any) -> Any:
        return slope * np.abs(x - 1) + x**2

    # Eight times the noise of the smallest step, 2^-29, is taken off.
    taken_off = 8 * ROUNDING / STEPS[-1]
    assert derivatives(kinked, [1.0]).jump[0] == pytest.approx(2 * slope, rel=1e-12, abs=1.01 * taken_off)
    assert derivatives(kinked, [1.001]).jump[0] == 0


def test_beside_a_kink_the_slope_of_its_own_side_is_found() -> None:
    for distance in (1e-2, 1e-5, 3e-7):
        found = derivatives(lambda x: np.maximum(x, 0), [distance])
        assert found.value[0] == pytest.approx(1.0, abs=1e-9)
        assert abs(found.value[0] - 1) <= found.error[0]


def test_steps_out_of_the_domain_are_not_used() -> None:
    with np.errstate(invalid="ignore"):
        found = derivatives(np.sqrt, [1.5e-6])
    assert found.value[0] == pytest.approx(0.5 / np.sqrt(1.5e-6), rel=1e-6)
    assert abs(found.value[0] - 0.5 / np.sqrt(LONG(1.5e-6))) <= found.error[0]


def test_a_function_that_is_nowhere_finite_has_infinite_error() -> None:
    assert derivatives(lambda x: x * np.nan, [1.0], rounding=0.0).error[0] == np.inf


@pytest.mark.parametrize("level", [1e-3, 1e-9, 1e-15])
def test_the_noise_of_a_function_is_measured(level: float) -> None:
    ratios = []
    for seed in range(50):
        random = np.random.default_rng(seed)
        ratios.append(
            noise(lambda t, random=random: np.sin(1 + t) + level * random.standard_normal(t.size), ROUNDING)
            / level
        )
    # Ten overlapping sixth differences are worth some four independent ones: one measurement in a thousand is
    # less than sqrt(0.09 / 4) of the level, one more than sqrt(18.5 / 4).
    assert 0.8 < np.mean(ratios) < 1.2
    assert np.min(ratios) > 0.15 and np.max(ratios) < 2.2


def test_a_float32_inside_is_noise_of_float32() -> None:
    level = noise(lambda t: np.sin((1 + t).astype(np.float32)).astype(LONG), ROUNDING)
    # The value's own rounding, and the argument's: eps / sqrt(12) each, with cos(1) about one half.
    assert 0.1 < level / np.finfo(np.float32).eps < 1


def test_a_kink_at_the_point_is_no_noise() -> None:
    assert noise(lambda t: np.abs(t) + np.sin(t), ROUNDING) < 1e-18 + 10 * ROUNDING


def test_a_constant_has_the_noise_of_its_rounding() -> None:
    assert noise(lambda t: np.full(t.size, LONG(8)), ROUNDING) == pytest.approx(2 * ROUNDING)
