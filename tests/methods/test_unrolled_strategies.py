"""Search noise in unrolled problems: one estimate, whatever the windows it is made in.

Tests of chance are false once in a million; the law of the variance is held to within 5 %.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import gradmark
from gradmark import population
from gradmark.arrays import installed
from gradmark.errors import UsageError
from gradmark.judging.trial import Trial
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, standard_error
from gradmark.noise import Members
from gradmark.parameters import ravel
from gradmark.problem import Problem
from gradmark.unroll import Unroll
from gradmark.vector_function import vector_problem
from gradmark.whole import prepared_whole
from methods.evolution.unrolled.persistent_es import PersistentES
from tests.methods.cases import flat, relative_error

NAMES = ("persistent_es", "noise_reuse_es")
PROBLEMS: dict[str, dict[str, Any]] = {
    "rnn": {"length": 5, "hidden": 3, "batch": 4},
    "lqr": {"horizon": 5, "batch": 3},
    "logistic_map": {"horizon": 5},
}
PAIRS, SIZE = 6, 40
BACKENDS = [each for each in ("numpy", "torch", "jax", "array_api_strict") if installed(each)]
FALSE_ALARM = 1e-6


def built(name: str, backend: str = "numpy") -> Problem:
    return gradmark.get_problem(name, **PROBLEMS[name], backend=backend)


def estimate(method: str, problem: Problem, seed: int = 3, **hyper: Any) -> dict[str, Any]:
    """The sum over the calls of an unroll."""
    function = prepared_whole(gradmark.get_method(method, pairs=PAIRS, **hyper), problem)
    return function(problem.parameters, seed).gradient


@pytest.mark.parametrize("method", NAMES)
def test_a_call_for_all_steps_is_gaussian_es(method: str) -> None:
    for name in PROBLEMS:
        problem = built(name)
        assert relative_error(estimate(method, problem), estimate("gaussian_es", problem)) < 1e-11, name


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each != "jax"])
def test_with_reused_noise_the_windows_add_up_to_gaussian_es(backend: str) -> None:
    for name in PROBLEMS:
        problem = built(name, backend)
        for window in (1, 2, 4, 5, 9) if backend == "numpy" else (2,):
            found = estimate("noise_reuse_es", problem, window=window)
            assert relative_error(found, estimate("gaussian_es", problem)) < 1e-11, (name, window)


@pytest.mark.parametrize("backend", BACKENDS)
def test_persistent_noise_counts_from_its_window_to_the_end(backend: str) -> None:
    """The formula as it stands, a particle at a time: e of window w counts in d of w and all that follow."""
    problem, window, sigma = built("rnn"), 2, 0.1
    x, unravel = ravel(problem.parameters)
    noise, unroll, draw = (
        Members("gaussian", 3, len(x)).rows(0, 3 * PAIRS),
        problem.unroll,
        problem.default_draw,
    )
    assert unroll is not None
    expected = np.zeros_like(x)
    for pair in range(PAIRS):
        e = noise[pair::PAIRS]
        for sign in (1, -1):
            state, before = unroll.initial(problem.parameters, draw), 0.0
            for t in range(unroll.horizon):
                moved = unravel(x + sign * sigma * e[t // window])
                state = unroll.step(moved, state, draw, t)
                if t % window == window - 1 or t == unroll.horizon - 1:
                    loss = float(unroll.loss(moved, state, draw))
                    expected += sign * (loss - before) * e[: t // window + 1].sum(axis=0)
                    before = loss
    found = estimate("persistent_es", built("rnn", backend), window=window, sigma=sigma)
    assert relative_error(found, unravel(expected / (2 * PAIRS * sigma))) < 1e-12


@pytest.mark.parametrize("window", [1, 5, 20])
def test_influence_has_the_right_sign_in_any_window(window: int) -> None:
    """Truncated, the last steps say -4, -20 and -65.9. All calls of an estimate have the same seed."""
    problem = gradmark.get_problem("influence_balancing", horizon=60)
    assert problem.closed_form is not None
    exact = float(problem.closed_form(problem.parameters, problem.default_draw)["theta"][0])
    method = gradmark.get_method("persistent_es", pairs=400, sigma=0.1, window=window)
    function = prepared_whole(method, problem)
    found = [function(problem.parameters, seed).gradient["theta"][0] for seed in range(30)]
    assert exact > 20 and stats.ttest_1samp(found, exact).pvalue > FALSE_ALARM
    assert stats.ttest_1samp(found, 0.0, alternative="greater").pvalue < FALSE_ALARM


def test_unrolls_follow_each_other_with_noise_of_their_own() -> None:
    """A second unroll of one seed has the members that follow those of the first, as its state says."""
    problem = built("lqr")
    gaussian = gradmark.get_method("gaussian_es", pairs=2 * PAIRS).prepare(problem)
    both = flat(gaussian(problem.parameters, 3).gradient)
    for name in NAMES:
        function = gradmark.get_method(name, pairs=PAIRS).prepare(problem)
        first = function(problem.parameters, 3)
        second = function(problem.parameters, 3, state=first.state)
        mean = (flat(first.gradient) + flat(second.gradient)) / 2
        assert np.linalg.norm(mean - both) < 1e-11 * np.linalg.norm(both)


@pytest.mark.parametrize("method", NAMES)
def test_a_state_is_given_again_as_often_as_one_likes(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same state, the same answer; and chunks of pairs are no part of either."""
    problem = built("rnn")
    function = gradmark.get_method(method, pairs=PAIRS, window=2).prepare(problem)
    first = function(problem.parameters, 1)
    then, again = (function(problem.parameters, 2, state=first.state) for _ in range(2))
    assert np.array_equal(flat(then.gradient), flat(again.gradient))
    monkeypatch.setitem(population._CHUNK_BYTES, "cpu", 4_000)
    in_chunks = function(problem.parameters, 2, state=function(problem.parameters, 1).state)
    assert relative_error(in_chunks.gradient, then.gradient) < 1e-11
    assert then.work.forward == pytest.approx(2 * PAIRS * 2 / 5)


def test_of_reused_noise_two_integers_are_held_and_behind_the_last_step_nothing() -> None:
    problem = built("rnn")
    for name, held in (("noise_reuse_es", (7, 0)), ("persistent_es", None)):
        function = gradmark.get_method(name, pairs=PAIRS, window=4).prepare(problem)
        state = function(problem.parameters, 7).state
        assert state.noise == held if held else state.noise.shape == (PAIRS, flat(problem.parameters).size)
        ended = function(problem.parameters, 7, state=state).state
        assert (ended.calls, ended.position) == (2, 0)
        assert ended.noise is ended.ahead is ended.behind is ended.apart is None


@vector_problem(start=lambda random, size: random.standard_normal(size), size=SIZE)
def linear(xp: Any, x: Any) -> Any:
    """sum of x_i, to which each of four steps adds a quarter."""
    return xp.sum(x, axis=-1)


def in_four_steps() -> Problem:
    def quarter(parameters: Any, state: Any, draw: Any, t: int) -> Any:
        return state + np.sum(parameters["x"], axis=-1)[..., None, None] / 4

    plain: Any = linear()
    problem: Problem = replace(
        plain,
        unroll=Unroll(
            initial=lambda parameters, draw: np.zeros((*parameters["x"].shape[:-1], 1, 1)),
            step=quarter,
            loss=lambda parameters, state, draw: state[..., 0, 0],
            horizon=4,
        ),
    )
    return problem


def test_the_variance_on_a_loss_that_is_added_up_in_equal_parts() -> None:
    problem, law = in_four_steps(), (SIZE + 1) / 4 + SIZE * 3 / 8
    function = prepared_whole(gradmark.get_method("persistent_es", pairs=24, window=1), problem)
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(1_500)])
    ratio = np.sum((found - 1) ** 2, axis=1).astype(float) / SIZE * 24 / law
    assert standard_error(ratio) < 0.02
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, 0.05)


@dataclass(frozen=True)
class Truncated(PersistentES):
    """Forgets the noise of the windows before, as truncation does."""

    def prepare(self, problem: Problem, want: Any = "gradient") -> Any:
        honest = super().prepare(problem, want)

        def gradient(parameters: Any, seed: int = 0, *, state: Any = None, **more: Any) -> Any:
            return honest(parameters, seed, state=state and replace(state, noise=None), **more)

        return gradient


def test_the_judge_sums_the_calls_of_an_unroll_and_convicts_who_truncates() -> None:
    sizes, roles = {"horizon": 8, "units": 4, "positive": 1}, frozenset({"contract", "sequential", "quick"})
    trial = Trial("influence_balancing", sizes, roles)
    report = gradmark.validate(Truncated(window=2), problems=[trial])
    assert report.verdict == "wrong"
    assert report.reason.startswith("its mean along the gradient is -0.4"), report.reason
    for name in NAMES:
        report = gradmark.validate(f"{name}:window=3", problems=[trial])
        passed = {finding.check for finding in report.findings if finding.status == "passed"}
        assert report.verdict == "correct" and {"contract.work", "sequential.scale"} <= passed


def test_what_is_no_state_and_what_is_no_unroll_is_refused() -> None:
    problem = built("rnn")
    function = gradmark.get_method("persistent_es", pairs=PAIRS, window=2).prepare(problem)
    other = gradmark.get_method("noise_reuse_es", pairs=PAIRS, window=2).prepare(problem)
    for state in (3.0, other(problem.parameters).state):
        with pytest.raises(UsageError, match="`state` must be the state of an answer of persistent_es"):
            function(problem.parameters, state=state)
    state = function(problem.parameters).state
    with pytest.raises(UsageError, match="have 4 rows and the draw has 2"):
        function(problem.parameters, draw=problem.default_draw.rows(0, 2), state=state)
    short = gradmark.get_problem("rnn", **{**problem.call.arguments, "length": 2})
    with pytest.raises(UsageError, match="at step 2 and the unroll has 2: its particles are of another"):
        gradmark.get_method("persistent_es", pairs=PAIRS).prepare(short)(short.parameters, state=state)
    for name in NAMES:
        reason = gradmark.get_method(name).supports(gradmark.get_problem("quadratic"))
        assert reason == "quadratic is not unrolled in time: gaussian_es does the same for one step"
        with pytest.raises(UsageError, match="`window=0` must be an integer of at least 1"):
            gradmark.get_method(name, window=0)


@pytest.mark.skipif(not installed("torch"), reason="torch is not installed here")
def test_half_precision_goes_on_from_window_to_window() -> None:
    wide, narrow = built("rnn"), built("rnn", "torch").to(dtype="bfloat16")
    for name in NAMES:
        found, exact = (estimate(name, each, window=2, sigma=0.5) for each in (narrow, wide))
        assert relative_error(found, exact) < 0.1
