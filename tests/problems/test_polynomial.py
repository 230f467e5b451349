"""The polynomial with known means under noise: its formulas against the loss, sampled and differenced."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from gradmark.noise_laws import NoiseLaw, noise_law
from gradmark.parameters import ravel

LAWS = ("gaussian", "rademacher", "uniform", "sphere")
SIGMA = 0.5


def flat(named: dict[str, Any]) -> Any:
    return np.concatenate([to_numpy(array).ravel() for array in named.values()])


def law_named(name: str) -> NoiseLaw:
    found = noise_law(name)
    assert found is not None
    return found


def test_its_arrays_have_different_shapes_and_the_size_that_was_asked_for() -> None:
    for size in (17, 18, 40, 41, 60, 61, 999, 100_000):
        parameters = gradmark.get_problem("polynomial", size=size).parameters
        assert sum(array.size for array in parameters.values()) == size
        assert len(parameters) == 7 and all(array.size for array in parameters.values())
        matrices = [array.shape for array in parameters.values() if array.ndim == 2]
        assert len(matrices) == 3 and all(rows != columns for rows, columns in matrices)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_no_entry_of_its_gradient_is_near_zero(degree: int) -> None:
    """A problem whose gradient vanished somewhere would let a zero pass there."""
    for size in (17, 60, 1000):
        for seed in range(40):
            problem: Any = gradmark.get_problem("polynomial", size=size, degree=degree, seed=seed)
            gradient = np.abs(flat(problem.closed_form(problem.parameters, problem.default_draw)))
            assert gradient.min() > 0.05 * np.sqrt(np.mean(gradient**2))


def test_its_coefficients_are_the_same_numbers_in_every_dtype() -> None:
    """At a point that every dtype holds, and with sums of few bits, bfloat16 is exact."""
    problem: Any = gradmark.get_problem("polynomial", degree=1, size=17, backend="torch")
    narrow: Any = problem.to(dtype="bfloat16")
    exact = problem.closed_form(problem.parameters, None)
    for name, array in narrow.closed_form(narrow.parameters, None).items():
        np.testing.assert_array_equal(to_numpy(array), to_numpy(exact[name]))


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_a_linear_loss_is_linear_and_a_quartic_one_is_not_cubic(degree: int) -> None:
    problem: Any = gradmark.get_problem("polynomial", degree=degree, dtype="longdouble")
    x, unravel = ravel(problem.parameters)
    along = np.random.default_rng(0).standard_normal(x.size).astype(np.longdouble)
    values = problem.loss(unravel(x + np.arange(8)[:, None] * along))
    # The n-th difference of a polynomial vanishes from n = degree + 1 on; binomials add up to 2^n.
    vanishing, leading = np.diff(values, degree + 1), np.diff(values, degree)
    slack = 64 * 2 ** (degree + 1) * problem.arrays.epsilon * np.max(np.abs(values))
    assert np.max(np.abs(vanishing)) < slack < 1e-9 * np.min(np.abs(leading))


@pytest.mark.parametrize("law", LAWS)
def test_the_laws_have_the_moments_that_they_state(law: str) -> None:
    """Mean, covariance, fourth and mixed moments of 400 000 samples; five standard errors, 1e-6 each."""
    size, number = 4, 400_000
    noise = law_named(law)
    e = noise.rows(np.random.default_rng(1), number, size)
    for sample, wanted in [
        (e[:, 0], 0),
        (e[:, 0] ** 2, 1),
        (e[:, 0] * e[:, 1], 0),
        (e[:, 2] ** 4, noise.fourth(size)),
        (e[:, 0] ** 2 * e[:, 3] ** 2, noise.mixed(size)),
        (e[:, 1] ** 3 * e[:, 2], 0),
    ]:
        error = 5 * np.std(sample) / np.sqrt(number)
        assert abs(np.mean(sample) - wanted) <= error + 1e-12


@pytest.mark.parametrize("law", ["gaussian", "uniform"])
def test_the_laws_have_the_distribution_function_that_they_state(law: str) -> None:
    from scipy import stats

    noise = law_named(law)
    assert noise.cumulative is not None
    sample = noise.rows(np.random.default_rng(2), 5000, 1)[:, 0]
    assert stats.kstest(noise.cumulative(sample), "uniform").pvalue > 1e-4


def test_a_law_that_is_not_known_is_none() -> None:
    assert noise_law("rank-1 gaussian") is noise_law(None) is None
    assert noise_law("normal") is noise_law("gaussian")


@pytest.mark.parametrize("degree", [3, 4])
@pytest.mark.parametrize("law", LAWS)
def test_the_smoothed_form_is_the_mean_of_sampled_estimates(law: str, degree: int) -> None:
    """Along three probes, with the linear term as control variate; five standard errors."""
    problem: Any = gradmark.get_problem("polynomial", size=17, degree=degree)
    noise = law_named(law)
    x, unravel = ravel(problem.parameters)
    e = noise.rows(np.random.default_rng(3), 200_000, x.size)
    ahead, behind = problem.loss(unravel(x + SIGMA * e)), problem.loss(unravel(x - SIGMA * e))
    gradient = flat(problem.closed_form(problem.parameters, None))
    rest = (ahead - behind) / (2 * SIGMA) - e @ gradient
    wanted = flat(problem.smoothed_form(problem.parameters, None, noise, SIGMA)) - gradient
    probes = np.stack([wanted, np.ones(x.size), np.random.default_rng(4).standard_normal(x.size)])
    for probe in probes / np.linalg.norm(probes, axis=1, keepdims=True):
        sample = rest * (e @ probe)
        assert abs(np.mean(sample) - wanted @ probe) < 5 * np.std(sample) / np.sqrt(sample.size)
    own = rest * (e @ wanted) / (wanted @ wanted)
    assert np.std(own) / np.sqrt(own.size) < 0.02  # so a wrong moment, off by a tenth, would have been seen


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_the_smoothed_form_of_a_quadratic_is_its_gradient_on_every_backend(backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    for degree, same in ((2, True), (3, False)):
        problem: Any = gradmark.get_problem("polynomial", degree=degree, backend=backend)
        smoothed = flat(problem.smoothed_form(problem.parameters, None, law_named("gaussian"), SIGMA))
        exact = flat(problem.closed_form(problem.parameters, None))
        assert bool(np.all(smoothed == exact)) is same


def test_a_plain_function_has_no_smoothed_form() -> None:
    assert gradmark.from_function(lambda x: np.sum(x), np.ones(2)).smoothed_form is None


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"size": 16}, "`size=16` must be an integer of at least 17"),
        ({"degree": 5}, "`degree=5` must be 1, 2, 3 or 4"),
        ({"degree": True}, "`degree=True` must be"),
        ({"degree": 2.5}, "`degree=2.5` must be"),
        ({"degree": [1]}, "must be 1, 2, 3 or 4"),
    ],
)
def test_a_size_or_degree_that_does_not_fit_is_answered_in_a_sentence(
    sizes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        gradmark.get_problem("polynomial", **sizes)
