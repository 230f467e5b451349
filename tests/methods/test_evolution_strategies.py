"""Evolution strategies on a linear loss, where their laws are exact: variance, ranks, signs, replayed noise.

Equivalence within 5 % (two one-sided tests, false once in a hundred), with standard errors below 2 %.
"""

import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays
from gradmark.claims import Unbiased
from gradmark.errors import UsageError
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, standard_error
from gradmark.noise import Members
from gradmark.vector_function import vector_problem
from methods.evolution.hadamard import hadamard_rows, rows_of_all
from tests.methods.cases import flat, relative_error

MARGIN, LARGEST_ERROR, SIZE = 0.05, 0.02, 30
SLOPES = np.arange(1.0, SIZE + 1)
# Name, hyper-parameters, and E|g_hat - g|^2 / |g|^2.
LAWS: list[tuple[str, dict[str, Any], float]] = [
    ("spsa", {"pairs": 6}, (SIZE - 1) / 6),
    ("sphere_es", {"pairs": 6}, (SIZE - 1) / 6),
    ("orthogonal_es", {"pairs": 6}, 26 / 31 * (SIZE - 1) / 6),
    ("orthogonal_es", {"pairs": 40}, 24 / 31 * (SIZE - 1) / 8 / 25),
    ("orthogonal_es", {"pairs": 6, "frame": "qr"}, SIZE / 6 - 1),
    ("orthogonal_es", {"pairs": 36, "frame": "qr"}, (SIZE / 6 - 1) / 36),
    ("least_squares_es", {"pairs": 6}, SIZE / 6 - 1),
    ("gaussian_es", {"pairs": 6}, (SIZE + 1) / 6),
    ("gaussian_es", {"pairs": 6, "antithetic": False}, (SIZE + 1) / 11),
    ("gaussian_es", {"pairs": 6, "antithetic": False, "baseline": "centre"}, (SIZE + 1) / 11),
]


@vector_problem(start=lambda random, size: random.standard_normal(size), size=SIZE)
def linear(xp: Any, x: Any) -> Any:
    """sum of i x_i."""
    return xp.sum(x * xp.cumulative_sum(xp.ones_like(x), axis=-1), axis=-1)


@vector_problem(start=lambda random, size: random.standard_normal(size), size=SIZE)
def risen(xp: Any, x: Any) -> Any:
    """An increasing function of the same sum."""
    return xp.exp(xp.sum(x * xp.cumulative_sum(xp.ones_like(x), axis=-1), axis=-1) / 20)


def drawn(name: str, hyper: dict[str, Any], number: int) -> Any:
    problem = linear()
    function = gradmark.get_method(name, **hyper).prepare(problem)
    return np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(number)])


@pytest.mark.parametrize(("name", "hyper", "law"), LAWS)
def test_the_measured_variance_is_the_claimed_one(name: str, hyper: dict[str, Any], law: float) -> None:
    claimed = gradmark.get_method(name, **hyper).claims.exactness
    assert isinstance(claimed, Unbiased)
    assert claimed.variance_factor(SIZE) / hyper["pairs"] == pytest.approx(law)
    found = drawn(name, hyper, 2_500)
    ratio = np.sum((found - SLOPES) ** 2, axis=1) / (SLOPES @ SLOPES) / law
    assert standard_error(ratio) < LARGEST_ERROR
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, MARGIN)


@pytest.mark.parametrize(
    ("frame", "pairs"), [("hadamard", 32), ("hadamard", 64), ("qr", SIZE), ("qr", 2 * SIZE)]
)
def test_whole_frames_are_the_gradient(frame: str, pairs: int) -> None:
    problem, method = linear(), gradmark.get_method("orthogonal_es", pairs=pairs, frame=frame, sigma=1.0)
    found = flat(method.prepare(problem)(problem.parameters, 2).gradient)
    # Losses of size |g| sqrt(P) are right to a few roundings, as is each sum of `pairs` products.
    assert np.linalg.norm(found - SLOPES) <= 16 * SIZE * np.finfo(float).eps * np.linalg.norm(SLOPES)
    assert method.claims.exactness.variance_factor(SIZE) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 31, 32, 33, 1_000])
def test_all_rows_of_a_randomised_hadamard_matrix_are_orthogonal_in_its_columns(size: int) -> None:
    number = rows_of_all(size)
    e = np.concatenate(list(hadamard_rows(Arrays(), 4, number, size, 7)))
    assert np.array_equal(np.abs(e), np.ones((number, size)))
    assert np.array_equal(e.T @ e, number * np.eye(size))
    assert np.array_equal(
        np.concatenate(list(hadamard_rows(Arrays(), 4, number // 2 + 1, size, 1000)))[: number // 2 + 1],
        e[: number // 2 + 1],
    )


@pytest.mark.parametrize(("size", "low", "high"), [(20, -1.0, 0.6), (300, 1.1, 2.0)])
def test_sobol_points_have_less_variance_in_few_dimensions_and_more_in_many(
    size: int, low: float, high: float
) -> None:
    problem = gradmark.get_problem("polynomial", size=size, degree=1)
    method, pairs = gradmark.get_method("sobol_es", pairs=128), 128
    function, g = method.prepare(problem), flat(problem.closed_form(problem.parameters, problem.default_draw))
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(24)])
    relative = np.sum((found - g) ** 2, axis=1) / (g @ g) / ((size + 1) / pairs)
    assert low < corrected_interval(relative, confidence()).low
    assert corrected_interval(relative, confidence()).high < high


@pytest.mark.parametrize("shaping", ["centred_ranks", "utilities", "sign"])
@pytest.mark.parametrize("hyper", [{}, {"antithetic": False}], ids=["mirrored", "one-sided"])
def test_a_shaped_estimate_depends_on_the_order_of_the_losses_alone(
    shaping: str, hyper: dict[str, Any]
) -> None:
    method = gradmark.get_method("gaussian_es", pairs=8, shaping=shaping, **hyper)
    assert method.claims.target.kind == "direction"
    one, other = (method.prepare(each())(each().parameters, 3).gradient for each in (linear, risen))
    assert relative_error(one, other) == 0
    assert np.any(flat(one))


@pytest.mark.parametrize(
    ("shaping", "along", "across"),
    [("sign", math.sqrt(2 / math.pi), 1.0), ("centred_ranks", math.pi**-0.5, 1 / 3)],
)
def test_ranks_and_signs_turn_the_estimate_by_what_theory_says(
    shaping: str, along: float, across: float
) -> None:
    """With F the normal distribution: E[w z] = E|z| or E[(2 F(z) - 1) z], E[w^2] = 1 or E[(2 F(z) - 1)^2]."""
    pairs, unit = 100, SLOPES / np.linalg.norm(SLOPES)
    found = 2 * 0.01 * drawn("gaussian_es", {"pairs": pairs, "shaping": shaping}, 1_500)
    ahead = found @ unit
    aside = np.sum(found**2, axis=1) - ahead**2
    for ratio in (ahead / along, aside / (across * (SIZE - 1) / pairs)):
        assert standard_error(ratio) < LARGEST_ERROR
        assert equivalent(corrected_interval(ratio, confidence()), 1.0, MARGIN)


def test_a_baseline_at_the_centre_is_for_one_sided_moves_that_are_not_shaped() -> None:
    for hyper in ({}, {"antithetic": False, "shaping": "sign"}):
        with pytest.raises(UsageError, match="one-sided moves whose losses are not shaped"):
            gradmark.get_method("gaussian_es", baseline="centre", **hyper)


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "sphere", "uniform"])
@pytest.mark.parametrize("size", [1, 13, 3_000, 70_000])
def test_any_part_of_the_noise_can_be_made_again_by_itself(law: str, size: int) -> None:
    whole = Members(law, 5, size).rows(0, 60)
    other = Members(law, 5, size)
    assert np.array_equal(np.concatenate([other.rows(k, min(k + 7, 60)) for k in range(0, 60, 7)]), whole)
    assert np.array_equal(Members(law, 5, size).rows(41, 50), whole[41:50])
    assert np.array_equal(Members(law, 5, size).narrow(41, 50), whole[41:50])
    assert not np.array_equal(Members(law, 6, size).rows(0, 60), whole)


def test_shaped_pairs_run_on_any_array_library() -> None:
    pytest.importorskip("array_api_strict")
    function = gradmark.get_method("spsa", pairs=4, shaping="sign").prepare
    found, strict = (
        flat(function(each)(each.parameters, 1).gradient)
        for each in (linear(), linear().to(backend="array_api_strict"))
    )
    assert np.array_equal(found, strict)


@pytest.mark.parametrize("pairs", [3, 9])
def test_least_squares_of_losses_that_are_no_numbers_are_none(pairs: int) -> None:
    problem = gradmark.from_function(lambda x: np.where(x[0] > 1.0, np.nan, np.sum(x)), np.ones(4))
    found = gradmark.get_method("least_squares_es", pairs=pairs).prepare(problem)(problem.parameters)
    assert np.all(np.isnan(found.gradient["x"]))
