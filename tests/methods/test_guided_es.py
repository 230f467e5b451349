"""Guided evolution strategies: with a subspace the mean stays, and the variance is that of the formula."""

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.errors import UsageError
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, standard_error
from gradmark.parameters import ravel
from tests.methods.cases import CASES, assert_like, cosine, flat, reference, relative_error

SIZE, PAIRS, SUBSPACE, ALPHA, CALLS = 30, 6, 3, 0.4, 4_000


@pytest.mark.parametrize("corrected", [False, True])
def test_mean_and_variance_with_a_subspace_are_those_of_the_formula(corrected: bool) -> None:
    problem = gradmark.get_problem("polynomial", size=SIZE, degree=1)
    exact = reference(problem)
    g = flat({name: exact[name] for name in problem.parameters}).astype(float)
    past = np.random.default_rng(5).standard_normal((SUBSPACE, SIZE))
    past[0] += g / np.linalg.norm(g) * 5
    q, _ = np.linalg.qr(past.T)
    b = ALPHA + (1 - ALPHA) * SIZE / SUBSPACE
    stretched = ALPHA * g + (b - ALPHA) * q @ (q.T @ g)
    mean, trace = (g, (SIZE - SUBSPACE) / ALPHA + SUBSPACE / b) if corrected else (stretched / b, SIZE / b**2)
    predicted = (g @ stretched * trace + mean @ mean) / PAIRS
    hyper = {"subspace": SUBSPACE, "alpha": ALPHA, "corrected": corrected}
    method = gradmark.get_method("guided_es", pairs=PAIRS, **hyper)
    function = method.prepare(problem)
    found = np.stack(
        [flat(function(problem.parameters, seed, state=past).gradient) for seed in range(CALLS)]
    ).astype(float)
    ratio = np.sum((found - mean) ** 2, axis=1) / predicted
    assert standard_error(ratio) < 0.02
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, 0.05)
    # |mean - g|^2 has the mean predicted / CALLS; twenty times as much is no chance.
    assert np.sum((found.mean(axis=0) - mean) ** 2) < 20 * predicted / CALLS


@pytest.mark.parametrize("backend", [each for each in ("numpy", "torch") if installed(each)])
def test_past_estimates_guide_the_next_ones(backend: str) -> None:
    problem = CASES["mlp tanh mse"](Arrays(backend))
    exact, method = reference(problem), gradmark.get_method("guided_es", pairs=4, subspace=2)
    function, state = method.prepare(problem), None
    alone = gradmark.get_method("gaussian_es", pairs=4).prepare(problem)
    assert (
        relative_error(function(problem.parameters, 0).gradient, alone(problem.parameters, 0).gradient) == 0
    )
    guided, unguided = [], []
    for seed in range(40):
        answer = function(problem.parameters, seed, state=state)
        state = answer.state
        guided.append(cosine(answer.gradient, exact))
        unguided.append(cosine(alone(problem.parameters, seed).gradient, exact))
    assert state.shape == (2, ravel(problem.parameters, problem.arrays.xp)[0].shape[0])
    assert np.mean(guided[5:]) > 1.3 * np.mean(unguided[5:])


def test_what_is_no_state_of_its_own_is_refused() -> None:
    problem = gradmark.get_problem("quadratic", size=12)
    function = gradmark.get_method("guided_es").prepare(problem)
    for state in (np.ones(12), np.ones((5, 12)), np.ones((2, 11)), "state"):
        with pytest.raises(UsageError, match="must be the state of an earlier answer"):
            function(problem.parameters, state=state)
    assert "set a lower `subspace`" in str(gradmark.get_method("guided_es", subspace=12).supports(problem))


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [("numpy", "longdouble"), ("torch", "bfloat16"), ("torch", "float16"), ("array_api_strict", "float64")],
)
def test_past_estimates_guide_in_every_dtype(backend: str, dtype: str) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed")
    problem = gradmark.get_problem("quadratic", size=12, backend=backend, dtype=dtype)
    function, state = gradmark.get_method("guided_es", pairs=4, subspace=2).prepare(problem), None
    for seed in range(4):
        answer = function(problem.parameters, seed, state=state)
        state = answer.state
        assert_like(answer.gradient, problem.parameters)
        assert state.shape == (min(seed + 1, 2), 12) and np.all(np.isfinite(flat(answer.gradient)))


@pytest.mark.parametrize("backend", [each for each in ("numpy", "torch") if installed(each)])
def test_what_is_done_to_an_answer_changes_no_state(backend: str) -> None:
    problem = gradmark.get_problem("quadratic", size=12, backend=backend)
    function = gradmark.get_method("guided_es", pairs=4).prepare(problem)
    answer = function(problem.parameters, 0)
    before = answer.state + 0
    for array in answer.gradient.values():
        array[...] = 7
    assert bool((answer.state == before).all())


def test_a_state_of_another_dtype_or_library_is_refused_and_a_graph_behind_it_is_not_followed() -> None:
    torch = pytest.importorskip("torch")
    problem = gradmark.get_problem("quadratic", size=12, backend="torch", dtype="float32")
    function = gradmark.get_method("guided_es").prepare(problem)
    for state in (np.ones((2, 12), np.float32), torch.ones(2, 12, dtype=torch.float64)):
        with pytest.raises(UsageError, match="must be the state of an earlier answer"):
            function(problem.parameters, state=state)
    answer = function(problem.parameters, state=torch.ones(2, 12, requires_grad=True))
    assert not answer.state.requires_grad and not answer.gradient["x"].requires_grad
