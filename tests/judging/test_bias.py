"""Bias: smoothing leaves sigma^2 and its closed form; who claims the gradient itself must leave nothing."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

import gradmark
from gradmark.claims import Target
from gradmark.judging.hearing import Hearing
from gradmark.judging.stages import bias
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.judging.watching.coupled import calls, coupled, exact_gradient, smallest_sigma, with_sigma
from gradmark.noise_laws import noise_law
from gradmark.parameters import ravel
from tests.judging.estimators import Strategy

CUBIC, QUARTIC = (Trial("polynomial", {"size": 100, "degree": degree}) for degree in (3, 4))
NETWORK = Trial("mlp", {"widths": (20, 6, 4), "data": "synthetic", "batch": 4})
ALPHA = 1e-6 / 5


def hearing(method: Any, trial: Trial = CUBIC, seed: int = 0) -> Hearing:
    return Hearing("the method", method, trial, trial.build(), seed=seed)


def heard(method: Any, trial: Trial = CUBIC, seed: int = 0, number: int = 40) -> list[Finding]:
    return list(bias.bias_of(hearing(method, trial, seed), ALPHA, number))


@pytest.mark.parametrize("trial", [CUBIC, QUARTIC], ids=str)
@pytest.mark.parametrize("antithetic", [True, False])
def test_gaussian_strategies_have_the_bias_of_smoothing(antithetic: bool, trial: Trial) -> None:
    order, constant = heard(gradmark.get_method("gaussian_es", antithetic=antithetic), trial)
    assert (order.check, order.status) == ("bias.order", "passed")
    assert order.evidence is not None and order.evidence.found == pytest.approx(2, abs=1e-3)
    assert (constant.check, constant.status) == ("bias.constant", "passed")
    assert constant.evidence is not None and constant.evidence.found == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("kind", ["mirrored", "mean", "point"])
@pytest.mark.parametrize("law", ["gaussian", "rademacher", "uniform", "sphere"])
def test_strategies_of_every_kind_and_law_have_the_bias_of_theirs(law: str, kind: str) -> None:
    found = heard(Strategy(law=law, kind=kind), QUARTIC)
    assert [each.status for each in found] == ["passed", "passed"], [each.reason for each in found]


def test_the_bias_of_another_law_is_told() -> None:
    """Signs have a third of the Gaussian bias in each coordinate."""
    for law, claimed in (("rademacher", "gaussian"), ("gaussian", "rademacher")):
        found = heard(Strategy(law=law, claimed_law=claimed))
        assert [each.status for each in found] == ["passed", "failed"], [each.reason for each in found]
        assert found[1].check == "bias.constant"


def test_of_a_mean_that_a_few_directions_make_up_nothing_is_said() -> None:
    order, constant = heard(Strategy(law="rademacher", claimed_law="gaussian"), seed=0, number=4)
    assert (order.status, constant.status) == ("passed", "skipped")
    assert "a few of 512 directions make up the mean" in constant.reason


def test_who_claims_the_gradient_itself_must_have_no_bias() -> None:
    found = heard(Strategy(claimed_kind="gradient"))
    assert [each.check for each in found if each.status == "failed"] == ["bias.coupled"]
    assert "say `Target('smoothed gradient', law, sigma)`" in found[0].reason


def test_the_forward_gradient_has_none() -> None:
    found = heard(gradmark.get_method("forward_gradient"), NETWORK)
    assert [(each.check, each.status) for each in found] == [("bias.coupled", "passed")]
    assert found[0].smallest_detectable is not None and found[0].smallest_detectable < 1e-9


class Wrong(Strategy):
    """Right on a linear loss: the fault shows where the loss is curved."""

    def prepare(self, problem: Any, want: Any = "gradient") -> Any:
        prepared = super().prepare(problem, want)

        def gradient(parameters: Any, seed: int = 0, **more: Any) -> Any:
            found = prepared(parameters, seed, **more)
            if problem.call.arguments["degree"] > 1:
                found.result["first.bias"] = found.result["first.bias"] + 0.01
            return found

        return gradient


def test_what_is_wrong_on_a_curved_loss_alone_is_told() -> None:
    failed = [each for each in heard(Wrong()) if each.status == "failed"]
    assert [each.check for each in failed] == ["bias.span"]


def test_mirror_images_that_are_not_quite_leave_another_order() -> None:
    assert any(each.status == "failed" for each in heard(Strategy(fault="mirrored not quite")))


def test_a_method_whose_sigma_cannot_be_set_is_skipped_with_the_reason() -> None:
    @gradmark.gradient_method(
        family="evolution",
        samples="pairs",
        variance_factor=lambda size: size + 1,
        target=Target("smoothed gradient", "gaussian", 0.01),
        evaluations=lambda size, pairs: 2 * pairs,
    )
    def fixed(problem: Any, parameters: Any, seed: int, pairs: int = 32) -> Any:
        x, unravel = ravel(parameters)
        e = np.random.default_rng(seed).standard_normal((pairs, x.size))
        slopes = problem.loss(unravel(x + 0.01 * e)) - problem.loss(unravel(x - 0.01 * e))
        return unravel(slopes @ e / (2 * pairs * 0.01))

    found = heard(fixed())
    assert [each.status for each in found] == ["skipped"]
    assert "no hyper-parameter of it is the sigma of its moves" in found[0].reason


@pytest.mark.parametrize("kind", ["mirrored", "mean"])
def test_the_coupled_difference_has_the_closed_form_as_its_mean(kind: str) -> None:
    """2560 directions: <difference, b>/|b|^2 is 1 within five standard errors, which are below 6 %."""
    heard_at = hearing(Strategy(kind=kind), QUARTIC)
    sigma = 4 * smallest_sigma(heard_at)
    moved: Any = with_sigma(heard_at, sigma)
    gradient, problem = exact_gradient(moved), moved.problem
    smoothed = problem.smoothed_form(problem.parameters, None, noise_law("gaussian"), sigma)
    wanted = ravel(smoothed)[0] - gradient
    shares = np.concatenate([coupled(each, gradient).shares(wanted) for each in calls(moved, 7, 80)])
    error = float(np.std(shares)) / np.sqrt(shares.size)
    assert abs(float(np.mean(shares)) - 1) < 5 * error and error < 0.06


def test_the_p_values_of_a_right_bias_are_uniform() -> None:
    """30 seeds; the test at 1e-4."""
    small = Trial("polynomial", {"size": 40, "degree": 3})
    values = [heard(Strategy(), small, seed=seed, number=12)[1].p_value for seed in range(30)]
    assert stats.kstest([value for value in values if value is not None], "uniform").pvalue > 1e-4


class FirstRow(Strategy):
    """Another loss than the one it is given: that of the first row alone."""

    def prepare(self, problem: Any, want: Any = "gradient") -> Any:
        from gradmark.problem import at_draw

        return super().prepare(at_draw(problem, problem.default_draw.rows(0, 1)), want)


@pytest.mark.parametrize("kind", ["mirrored", "mean"])
def test_what_finite_moves_add_vanishes_with_sigma_unless_the_losses_are_those_of_other_rows(
    kind: str,
) -> None:
    (right,) = heard(Strategy(kind=kind), NETWORK)
    assert (right.check, right.status) == ("bias.vanishing", "passed"), right.reason
    (wrong,) = heard(FirstRow(kind=kind), NETWORK)
    assert wrong.status == "failed" and "not the losses of the draw" in wrong.reason
