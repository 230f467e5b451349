"""Random estimates: their exact cosine and variance laws, their target, their noise.

On a linear loss g . x both estimators are S g with a Wishart matrix S of m degrees of freedom, m = M pairs, K
directions or N - 1 one-sided moves. So cos^2 ~ Beta(m/2, (P-1)/2) and E|S g - g|^2 = (P + 1) |g|^2 / m
exactly. Every test has a false-alarm rate of 1e-6, and seeds are fixed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

import gradmark
from gradmark import population
from gradmark.arrays import Arrays, installed
from gradmark.claims import Unbiased
from gradmark.problem import Problem
from gradmark.vector_function import vector_problem
from tests.methods.cases import (
    CASES,
    assert_like,
    cases_of,
    cosine,
    flat,
    reference,
    relative_error,
)

FALSE_ALARM = 1e-6
REPETITIONS = 200
# Method, hyper-parameters, and the degrees of freedom m.
ESTIMATORS: list[tuple[str, dict[str, Any], int]] = [
    ("forward_gradient", {"directions": 12}, 12),
    ("gaussian_es", {"pairs": 12, "sigma": 0.1}, 12),
    ("gaussian_es", {"pairs": 12, "sigma": 0.1, "antithetic": False}, 23),
]
each_estimator = pytest.mark.parametrize(
    ("name", "hyper", "freedom"), ESTIMATORS, ids=["forward_gradient", "antithetic", "one-sided"]
)


@vector_problem(start=lambda random, size: random.standard_normal(size), size=60)
def linear(xp: Any, x: Any) -> Any:
    """sum of i x_i, as a sum of products, so that it is exactly linear."""
    return xp.sum(x * xp.cumulative_sum(xp.ones_like(x), axis=-1), axis=-1)


def problem_for(name: str) -> Problem:
    """A linear loss; to forward gradients, exact along every direction, any network is one."""
    return CASES["mlp tanh mse"](Arrays()) if name == "forward_gradient" else linear()


def estimates(name: str, hyper: Mapping[str, Any], problem: Problem, number: int = REPETITIONS) -> Any:
    function = gradmark.get_method(name, **hyper).prepare(problem)
    return np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(number)]).astype(
        float
    )


def truth(problem: Problem) -> Any:
    if problem.call.name == "linear":
        return np.arange(1.0, 61.0)
    return flat(reference(problem)).astype(float)


def mean_is(samples: Any, expected: float) -> bool:
    """A t test: false once in a million for samples with the expected mean."""
    return bool(stats.ttest_1samp(samples, expected).pvalue > FALSE_ALARM)


@each_estimator
def test_the_variance_is_the_declared_one(name: str, hyper: dict[str, Any], freedom: int) -> None:
    problem, method = problem_for(name), gradmark.get_method(name, **hyper)
    g, claimed = truth(problem), method.claims.exactness
    assert isinstance(claimed, Unbiased)
    expected = claimed.variance_factor(g.size) / getattr(method, claimed.samples)
    assert expected == pytest.approx((g.size + 1) / freedom)
    ratio = np.sum((estimates(name, hyper, problem) - g) ** 2, axis=1) / (g @ g)
    assert mean_is(ratio, expected)
    assert not mean_is(ratio, 1.25 * expected) and not mean_is(ratio, 0.8 * expected)


@each_estimator
def test_the_mean_is_the_gradient(name: str, hyper: dict[str, Any], freedom: int) -> None:
    problem = problem_for(name)
    g = truth(problem)
    scale = estimates(name, hyper, problem) @ g / (g @ g)
    assert mean_is(scale, 1.0)
    # One step of the scale is chi-square: 200 repetitions see 20 %.
    assert not mean_is(1.25 * scale, 1.0)


@each_estimator
def test_the_cosine_follows_its_law(name: str, hyper: dict[str, Any], freedom: int) -> None:
    problem, method = problem_for(name), gradmark.get_method(name, **hyper)
    g = truth(problem)
    found = estimates(name, hyper, problem)
    squared = (found @ g) ** 2 / (np.sum(found * found, axis=1) * (g @ g))
    assert stats.kstest(squared, stats.beta(freedom / 2, (g.size - 1) / 2).cdf).pvalue > FALSE_ALARM
    claimed = method.claims.exactness
    predicted = claimed.cosine(getattr(method, claimed.samples), g.size)
    # sqrt(m / (m + P + 1)) is the law for large m and P; its own error is of order 1/m.
    assert np.mean(np.sqrt(squared)) == pytest.approx(predicted, rel=1 / freedom)


def test_evolution_strategies_aim_at_the_gradient_of_the_smoothed_loss() -> None:
    sigma = 0.5

    @vector_problem(start=lambda random, size: random.standard_normal(size))
    def cubic(xp: Any, x: Any) -> Any:
        return xp.sum(x**3, axis=-1)

    problem = cubic(size=5)
    x = problem.parameters["x"]
    # E (x + sigma e)^3 = x^3 + 3 sigma^2 x.
    smoothed, plain = 3 * x**2 + 3 * sigma**2, 3 * x**2
    for antithetic in (True, False):
        method = gradmark.get_method("gaussian_es", pairs=200, sigma=sigma, antithetic=antithetic)
        assert str(method.claims.target) == "smoothed gradient (gaussian, sigma=0.5)"
        along = estimates("gaussian_es", vars(method), problem).mean(axis=1)
        assert mean_is(along, smoothed.mean())
        assert not mean_is(along, plain.mean())


def test_a_large_common_loss_cancels_without_a_trace() -> None:
    plain = linear()
    # f + 2^30, exactly: every difference of losses keeps its digits down to 2^-22.
    raised = gradmark.from_function(lambda x: plain.loss({"x": x}) + 2.0**30, plain.parameters["x"])
    for antithetic in (True, False):
        method = gradmark.get_method("gaussian_es", pairs=8, sigma=1.0, antithetic=antithetic)
        one, other = (method.prepare(p)(p.parameters, 5).gradient for p in (plain, raised))
        assert relative_error(other, one) <= 2.0**-22


PLACES = [
    ("torch", "cpu"),
    ("jax", "cpu"),
    *(("array_api_strict", name) for name in ("cpu", "device1", "device2")),
]


@pytest.mark.parametrize(("backend", "device"), [place for place in PLACES if installed(place[0])])
@each_estimator
def test_every_backend_sees_the_same_noise(
    name: str, hyper: dict[str, Any], freedom: int, backend: str, device: str
) -> None:
    for case in ("mlp tanh cross_entropy", "mlp relu mse", "logistic regression"):
        here, there = CASES[case](Arrays()), CASES[case](Arrays(backend, device))
        method = gradmark.get_method(name, **hyper)
        a, b = (method.prepare(p)(p.parameters, 7).gradient for p in (here, there))
        assert relative_error(b, a) <= summing_error(hyper, here, a)


@pytest.mark.parametrize("chunk_bytes", [1, 4000, 2**26])
@each_estimator
def test_the_size_of_a_chunk_does_not_change_the_answer(
    name: str, hyper: dict[str, Any], freedom: int, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, method = CASES["mlp tanh mse"](Arrays()), gradmark.get_method(name, **hyper)
    usual = method.prepare(problem)(problem.parameters, 3).gradient
    monkeypatch.setitem(population._CHUNK_BYTES, "cpu", chunk_bytes)
    chunked = method.prepare(problem)(problem.parameters, 3).gradient
    assert relative_error(chunked, usual) <= summing_error(hyper, problem, usual)


def summing_error(hyper: Mapping[str, Any], problem: Problem, estimate: Mapping[str, Any]) -> float:
    """Rounding of an estimate: that of losses |f| (64 roundings deep) over sigma, times sqrt(P)."""
    size, value = flat(estimate).size, float(problem.loss(problem.parameters))
    slope = 64 * Arrays().epsilon * (1 + value) / hyper.get("sigma", 1.0)
    return float(slope * np.sqrt(size) / np.linalg.norm(flat(estimate)) + 64 * Arrays().epsilon)


def test_a_problem_without_a_population_axis_is_evaluated_member_by_member() -> None:
    network = CASES["mlp tanh mse"](Arrays())
    alone = gradmark.from_function(lambda p: network.loss(p), network.parameters)
    for antithetic in (True, False):
        method = gradmark.get_method("gaussian_es", pairs=8, antithetic=antithetic)
        one, many = (method.prepare(p)(p.parameters, 4).gradient for p in (alone, network))
        assert relative_error(one, many) <= summing_error({"sigma": method.sigma}, network, many)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    ("name", "hyper"), [("forward_gradient", {"directions": 64}), ("gaussian_es", {"sigma": 0.5})]
)
def test_narrow_dtypes_keep_the_direction(name: str, hyper: dict[str, Any], dtype: str) -> None:
    arrays, method, tested = Arrays("torch", "cpu", dtype), gradmark.get_method(name, **hyper), 0
    for case, problem in cases_of(arrays).items():
        wide = problem.to(dtype="float64")
        # The noise is the same, so rounding is the difference: that of losses and parameters over sigma.
        lost = 2 * np.sqrt(flat(wide.parameters).size) * arrays.epsilon
        if "sigma" in hyper:
            steep = float(wide.loss(wide.parameters)) / np.linalg.norm(flat(reference(problem)))
            lost *= max(1.0, steep, float(np.max(np.abs(flat(wide.parameters))))) / hyper["sigma"]
        if lost < 0.5:
            narrow, expected = (method.prepare(p)(p.parameters, 1).gradient for p in (problem, wide))
            assert_like(narrow, problem.parameters)
            assert cosine(narrow, expected) >= 1 - lost**2, case
            tested += 1
    assert tested >= 1


def test_forward_gradients_say_where_there_is_no_forward_mode() -> None:
    method, rosenbrock = gradmark.get_method("forward_gradient"), gradmark.get_problem("rosenbrock")
    reason = "rosenbrock has no layers to push tangents through, and numpy has no forward mode"
    assert method.supports(rosenbrock) == reason
    assert method.supports(rosenbrock.to(backend="torch")) is None


def test_evolution_strategies_refuse_a_bounded_domain() -> None:
    problem = gradmark.from_function(lambda x: np.sum(np.log(x)), np.array([1.0]), bounds=(0.0, np.inf))
    reason = gradmark.get_method("gaussian_es").supports(problem)
    assert reason is not None and "bounds (0.0, inf)" in reason
