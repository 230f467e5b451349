"""Moves of low rank: their variance, their smoothing, and the kernel of dense chains, which adds nothing."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.claims import Unbiased
from gradmark.function_problem import FunctionProblem
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, mean_test, standard_error
from gradmark.problem import Call, Problem, at_draw
from gradmark.work import counting
from methods.evolution.low_rank import lanes, low_rank_es, low_rank_on_chains
from methods.evolution.low_rank.low_rank_es import LowRankES
from tests.methods.cases import CASES, flat, reference, relative_error

FALSE_ALARM = 1e-6
ROUNDING = 2**-52
RANKS = [("signs", 1), ("signs", 3), ("gaussian", 1), ("gaussian", 2)]


def function(loss: Any, parameters: dict[str, Any]) -> Problem:
    """A function of named arrays with a population axis."""
    return FunctionProblem(
        function=lambda xp, p: loss(p),
        arrays=Arrays(),
        parameters=parameters,
        call=Call("f"),
        population=True,
    )


@pytest.mark.parametrize(("law", "rank"), RANKS)
def test_the_measured_variance_is_the_formula(law: str, rank: int) -> None:
    """Equivalence within 10 %, in seven arrays of 40 numbers on a linear loss; and the mean."""
    problem, pairs = gradmark.get_problem("polynomial", size=40, degree=1), 4
    exact = reference(problem)
    method = LowRankES(pairs=pairs, sigma=1.0, rank=rank, law=law)
    claimed = method.claims.exactness
    assert isinstance(claimed, Unbiased)
    g, estimate = flat(exact).astype(float), method.prepare(problem)
    found = np.stack([flat(estimate(problem.parameters, seed).gradient) for seed in range(1500)])
    ratio = np.sum((found.astype(float) - g) ** 2, axis=1) / (g @ g) * pairs / claimed.factor(problem, exact)
    assert standard_error(ratio) < 0.03 and equivalent(corrected_interval(ratio, confidence()), 1.0, 0.1)
    assert mean_test(found.astype(float) @ g / (g @ g), 1.0).p_value > FALSE_ALARM


def test_rank_one_signs_have_the_least_variance_and_a_high_rank_that_of_gaussian_moves() -> None:
    slopes = {"a": np.ones((2, 3)), "b": np.ones((5, 1)), "c": np.ones((1, 1))}
    problem, size = function(lambda p: 0, slopes), 12

    def factor(law: str, rank: int) -> float:
        return LowRankES(law=law, rank=rank).claims.exactness.factor(problem, slopes)

    assert factor("signs", 1) == size - 1
    # sum of |G_l|^2 (P + 2 (m_l + n_l) + 3) / |G|^2, with |G_l|^2 = 6, 5, 1 and m_l + n_l = 5, 6, 2.
    assert factor("gaussian", 1) == pytest.approx(size + 3 + 2 * (6 * 5 + 5 * 6 + 1 * 2) / 12)
    for law in ("signs", "gaussian"):
        assert factor(law, 10**9) == pytest.approx(size + 1)


@pytest.mark.parametrize(("law", "rank", "fourth"), [
    ("signs", 1, 1.0), ("signs", 2, 2.0), ("gaussian", 1, 9.0), ("gaussian", 3, 5.0),
])  # fmt: skip
def test_smoothing_sees_the_fourth_moment_of_a_number(law: str, rank: int, fourth: float) -> None:
    """Of k x^3 / 6 at 0 a pair says sigma^2 k e^4 / 6, with the mean m4: 3 - 2/r, or 3 + 6/r."""
    problem = function(lambda p: np.sum(p["x"] ** 3, axis=(-2, -1)) / 6, {"x": np.zeros((1, 1))})
    estimate = LowRankES(pairs=4000, sigma=1.0, rank=rank, law=law).prepare(problem)
    found = np.array(
        [6 * float(estimate(problem.parameters, seed).gradient["x"][0, 0]) for seed in range(30)]
    )
    error = float(np.std(found)) / 30**0.5
    assert np.mean(found) == pytest.approx(fourth, abs=64 * ROUNDING + 6 * error) and error < 0.05 * fourth


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(("law", "rank"), RANKS)
def test_the_kernel_of_chains_is_the_portable_path_to_rounding(
    law: str, rank: int, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_ROWS", 60)
    monkeypatch.setattr(low_rank_on_chains, "_KEPT", 100)
    for case in ("mlp tanh cross_entropy", "mlp gelu mse", "logistic regression"):
        problem = CASES[case](Arrays(backend))
        for shaping in ("identity", "centred_ranks"):
            method = LowRankES(pairs=13, rank=rank, law=law, shaping=shaping)
            fast = method.prepare(problem)
            with monkeypatch.context() as without:
                without.setattr(low_rank_es, "chain_kernel", lambda *of: None)
                slow = method.prepare(problem)
            for draw in (problem.default_draw, problem.default_draw.rows(1, 4)):
                expected = slow(problem.parameters, 3, draw=draw)
                with counting() as counted:
                    found = fast(problem.parameters, 3, draw=draw)
                assert counted.total() == found.work
                assert found.work.forward == pytest.approx(expected.work.forward)
                # Losses of about 1, rounded after some 64 operations, over sigma = 0.01.
                assert relative_error(found.gradient, expected.gradient) <= 64 * ROUNDING / 0.01


def test_chains_in_float32_and_their_peers_on_torch_agree() -> None:
    problem = CASES["mlp tanh mse"](Arrays(dtype="float32"))
    method = LowRankES(pairs=32, sigma=0.1)
    here, there, wide = (
        method.prepare(each)(each.parameters, 5).gradient
        for each in (problem, problem.to(backend="torch"), problem.to(dtype="float64"))
    )
    assert relative_error(there, here) <= 64 * 2**-23 / 0.1
    assert relative_error(here, wide) <= 64 * 2**-23 / 0.1
    assert str(next(iter(there.values())).dtype) == "torch.float32"


def test_a_kernel_knows_no_numbers_of_what_it_was_prepared_with() -> None:
    problem, other = CASES["mlp tanh mse"](Arrays()), CASES["mlp tanh mse"](Arrays()).draw(9)
    estimate = LowRankES(pairs=8).prepare(problem)
    estimate(problem.parameters, 1)
    moved = {name: 2 * array + 0.5 for name, array in problem.parameters.items()}
    there = at_draw(problem, other, moved)
    expected = flat(LowRankES(pairs=8).prepare(there)(moved, 1).gradient)
    assert np.array_equal(flat(estimate(moved, 1, draw=other).gradient), expected)
    assert not np.array_equal(expected, flat(estimate(moved, 2, draw=other).gradient))
    assert to_numpy(problem.parameters["layers.0.weight"]).shape == (5, 3)


def test_threads_share_the_members_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_ROWS", 60)
    problem = CASES["mlp tanh mse"](Arrays())
    alone, shared = (LowRankES(pairs=40, workers=workers).prepare(problem) for workers in (1, 3))
    with counting() as counted:
        found = shared(problem.parameters, 4)
    assert counted.total().forward == found.work.forward == 80
    assert np.array_equal(flat(found.gradient), flat(alone(problem.parameters, 4).gradient))
    reason = LowRankES(workers=2).supports(CASES["rosenbrock"](Arrays()))
    assert (
        reason == "rosenbrock on numpy is no chain of dense layers, which `workers=2` are for: set workers=1"
    )
