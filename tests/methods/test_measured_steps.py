"""Rules that measure: on functions of known noise and curvature, and in the methods that use them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed, to_numpy
from gradmark.parameters import size
from gradmark.work import counting
from methods.finite_difference.stencils.weights import central, of_derivative, one_sided
from methods.finite_difference.steps.choosing import Found, measured, noise_of
from methods.finite_difference.steps.curvature import bisected
from methods.finite_difference.steps.gill import LEAST, MOST, bounded_step, searched
from methods.finite_difference.steps.lines import SAMPLED, Lines
from methods.finite_difference.steps.more_wild import central_step, forward_step
from methods.finite_difference.steps.noise_level import POINTS, ecnoise
from methods.finite_difference.steps.shi import accepted, numerator
from tests.methods.cases import CASES, flat, reference, relative_error

STENCILS = {"forward": one_sided(), "central": central(2), "five points": central(4)}
RULES = ("noise", "gill", "shi")
NOISES = {
    "gaussian": lambda random, shape: random.standard_normal(shape),
    "uniform": lambda random, shape: random.uniform(-math.sqrt(3), math.sqrt(3), shape),
}


def lines(f: Callable[[Any], Any], at: Any, noise: float, seed: int = 0, law: str = "gaussian") -> Lines:
    """Lines through the coordinates `at` of a function of one number, with independent noise added."""
    random, at = np.random.default_rng(seed), np.asarray(at)

    def values(spacing: float, offsets: tuple[int, ...]) -> Any:
        x = at[:, None] + spacing * np.asarray(offsets)
        return f(x) + noise * NOISES[law](random, x.shape)

    return Lines(values, 1.0, 1.0, 1.0, 2.0**-52, lambda: 2.0**-52)


def scaled_exponential(scale: float) -> Callable[[Any], Any]:
    return lambda x: scale * np.exp(x)


AT = np.linspace(0.2, 1.2, SAMPLED)


@pytest.mark.parametrize("law", NOISES)
@pytest.mark.parametrize("level", [1e-12, 1e-7, 1e-3])
def test_ecnoise_finds_the_level_within_a_factor_of_two(level: float, law: str) -> None:
    ratios = []
    for seed in range(40):
        along = lines(np.sin, AT, level, seed, law)
        found = ecnoise(along.values(level**0.5 / 8, tuple(range(POINTS))))
        assert found.verdict == "found"
        ratios.append(found.level / level)
    # Means over six lines of six squares, neighbours of which depend on one another.
    assert min(ratios) >= 1 / 2 and max(ratios) <= 2 and np.median(ratios) == pytest.approx(1, abs=0.1)


def test_ecnoise_says_that_points_are_too_close_or_too_far() -> None:
    still = np.round(lines(np.sin, AT, 0.0).values(1e-5, tuple(range(POINTS))), 3)
    assert ecnoise(still).verdict == "too close"
    assert ecnoise(lines(np.exp, AT, 0.0).values(0.5, tuple(range(POINTS)))).verdict == "too far"


def test_noise_that_the_first_spacing_does_not_show_is_found_at_a_wider_one() -> None:
    stairs = lines(lambda x: np.round(np.exp(x) * 2.0**16) / 2.0**16, AT, 0.0)
    level = noise_of([stairs.values(spacing, tuple(range(POINTS))) for spacing in (1e-7, 1e-3)], 2.0**-52)
    # Rounding to multiples of u is uniform noise of u / sqrt(12).
    assert 2.0**-16 / math.sqrt(12) / 2 <= level <= 2.0**-16 / math.sqrt(12) * 2


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("level", [1e-14, 1e-8])
def test_a_derivative_is_found_to_the_digit_that_is_asked_for(level: float, order: int) -> None:
    found = bisected(lines(np.exp, AT, level), of_derivative(order), level)
    assert found is not None and found.condition <= MOST
    # Noise of a tenth, and the truncation of a spacing that is at most twice as coarse as need be.
    assert found.size == pytest.approx(math.sqrt(np.mean(np.exp(2 * AT))), rel=0.25)


def test_a_derivative_that_vanishes_is_bounded_by_its_noise() -> None:
    found = bisected(lines(lambda x: x * x, AT, 1e-10), of_derivative(3), 1e-10)
    assert found is not None and found.noise <= found.size <= 2 * found.noise


def test_steps_of_more_and_wild_have_their_closed_forms() -> None:
    assert forward_step(1e-6, 3.0) == pytest.approx(8**0.25 * math.sqrt(1e-6 / 3))
    assert central_step(1e-6, 3.0) == pytest.approx(3 ** (1 / 3) * (1e-6 / 3) ** (1 / 3))


def test_fdcore_accepts_condition_errors_between_a_thousandth_and_a_tenth() -> None:
    for scale in (1e-3, 1.0, 1e3):
        found = searched(
            lines(scaled_exponential(scale), AT, 1e-11 * scale), one_sided(), 1e-11 * scale, scale
        )
        assert found is not None and LEAST <= found.condition <= MOST
        assert found.size == pytest.approx(scale * math.sqrt(np.mean(np.exp(2 * AT))), rel=0.2)
    assert bounded_step(one_sided(), 1e-8, 4.0) == pytest.approx(2 * math.sqrt(1e-8 / 4))
    assert bounded_step(central(2), 1e-9, 3.0) == pytest.approx((3 * 1e-9 / 3) ** (1 / 3))


def test_testing_ratios_are_those_of_the_paper() -> None:
    offsets, weights, _ = numerator(one_sided())
    assert (offsets, [float(8 * weight) for weight in weights]) == ((0, 1, 4), [-3, 4, -1])
    assert accepted(central(2)) == pytest.approx((1.5, 6)) and accepted(one_sided()) == pytest.approx(
        (1.5, 6)
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("stencil", STENCILS)
def test_every_rule_errs_little_more_than_the_best_step(stencil: str, rule: str) -> None:
    of, level = STENCILS[stencil], 1e-9
    derivative = math.sqrt(np.mean(np.exp(2 * AT)))

    def error(h: float) -> float:
        return float(Found(h, level, derivative).squared_error(of, h))

    least = min(map(error, np.geomspace(1e-6, 1, 400)))
    for seed in range(10):
        found = measured(lines(np.exp, AT, level, seed), of, rule)
        # Half or twice the best step makes 2.3 times the error of a central difference.
        assert found is not None and error(found.step) <= 3**2 * least


def noisy(x: Any) -> Any:
    """exp with a wave of 1e-7 and of a period far below any step: noise that repeats."""
    return np.sum(np.exp(x) + 1e-7 * np.sin(1e12 * x))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "name", ["forward_difference", "backward_difference", "central_difference", "stencil_difference"]
)
def test_a_noisy_function_has_longer_steps_and_an_estimate_that_covers_the_error(
    name: str, rule: str
) -> None:
    at = np.linspace(-1.0, 1.0, 20)
    problem, errors = gradmark.from_function(noisy, at), {}
    for choice in ("dtype", rule):
        estimate = gradmark.get_method(name, rule=choice).prepare(problem)(problem.parameters)
        errors[choice] = float(np.linalg.norm(estimate.gradient["x"] - np.exp(at)))
        assert (estimate.error is None) == (choice == "dtype")
    assert estimate.error is not None and errors[rule] <= estimate.error <= 20 * errors[rule]
    assert errors[rule] < errors["dtype"] / 5


PLACES = [Arrays(dtype="float32"), Arrays(dtype="float64"), Arrays("torch", dtype="bfloat16")]
if installed("array_api_strict"):
    PLACES.append(Arrays("array_api_strict", "device1"))


@pytest.mark.parametrize("arrays", PLACES, ids=lambda arrays: f"{arrays.backend} {arrays.dtype}")
@pytest.mark.parametrize("name", ["forward_difference", "central_difference", "stencil_difference"])
def test_measured_steps_err_less_than_they_say_for_the_work_they_claim(name: str, arrays: Arrays) -> None:
    problem, method = CASES["mlp tanh mse"](arrays), gradmark.get_method(name, rule="noise")
    prepared, exact = method.prepare(problem), reference(problem)
    with counting() as work:
        estimate = prepared(problem.parameters)
    assert work.forward == estimate.work.forward == method.claims.work(problem).forward
    assert estimate.error is not None
    numbers = np.concatenate([np.ravel(np.asarray(array, np.float64)) for array in exact.values()])
    assert relative_error(estimate.gradient, exact) * np.linalg.norm(numbers) <= estimate.error
    fewer = prepared(problem.parameters, draw=problem.default_draw.rows(0, 3))
    again = prepared(problem.parameters)
    assert np.array_equal(flat(again.gradient), flat(estimate.gradient))
    assert not np.array_equal(flat(fewer.gradient), flat(estimate.gradient))


def test_rules_that_search_claim_no_work_and_a_given_step_is_taken_before_any_rule() -> None:
    assert gradmark.get_method("central_difference", rule="shi").claims.work is None
    problem = CASES["rosenbrock"](Arrays())
    given = gradmark.get_method("central_difference", rule="shi", step=1e-5)
    assert given.claims.work(problem).forward == 2 * size(problem.parameters)
    assert given.prepare(problem)(problem.parameters).error is None


@pytest.mark.parametrize("rule", RULES)
def test_one_parameter_a_constant_and_an_edge_have_answers(rule: str) -> None:
    method = gradmark.get_method("central_difference", rule=rule)
    for loss, at, slope in (
        (lambda x: x * x * x, np.array(2.0), 12.0),
        (lambda x: 0 * np.sum(x), np.array([1.0, -2.0]), 0.0),
        (lambda x: np.sum(np.log(x)), np.array([0.01]), 100.0),
    ):
        problem = gradmark.from_function(loss, at)
        with np.errstate(invalid="ignore"):
            gradient = method.prepare(problem)(problem.parameters).gradient["x"]
        np.testing.assert_allclose(gradient, slope, rtol=1e-8)


def test_a_loss_added_up_in_float64_has_a_smaller_error_at_the_same_work() -> None:
    problem = gradmark.get_problem(
        "mlp", widths=(8, 18, 18, 8), loss="mse", data="synthetic", activation="tanh", dtype="float32"
    )
    exact, errors = reference(problem), {}
    for accumulate in ("problem", "float64"):
        method = gradmark.get_method("central_difference", rule="noise", accumulate=accumulate)
        estimate = method.prepare(problem)(problem.parameters)
        errors[accumulate] = relative_error(estimate.gradient, exact)
        assert all(to_numpy(array).dtype == np.float32 for array in estimate.gradient.values())
        assert estimate.work.forward == method.claims.work(problem).forward
    assert errors["float64"] < errors["problem"] / 1.5


def test_where_a_loss_cannot_be_added_up_in_float64_there_is_a_reason() -> None:
    method = gradmark.get_method("forward_difference", accumulate="float64")
    reasons = [
        method.supports(CASES[case](Arrays(dtype="float32"))) for case in ("rosenbrock", "mlp tanh mse")
    ]
    assert reasons[0] is not None and "no criterion" in reasons[0] and reasons[1] is None


@pytest.mark.parametrize("rule", RULES)
def test_an_error_estimate_knows_that_larger_losses_at_far_steps_are_rounded_more(rule: str) -> None:
    covered, method = [], gradmark.get_method("stencil_difference", rule=rule)
    for seed in range(40):
        # No fifth derivative: the steps of five points are as long as the array is large.
        random = np.random.default_rng(seed)
        at, a = random.standard_normal(6), random.uniform(-2, 2, 6)
        problem = gradmark.from_function(lambda x, a=a: np.sum((x - a) ** 4) / 6, at)
        estimate = method.prepare(problem)(problem.parameters)
        exact = (at.astype(np.longdouble) - a) ** 3 * 2 / 3
        covered.append(np.linalg.norm(estimate.gradient["x"] - exact) <= estimate.error)
    assert np.mean(covered) >= 0.95
