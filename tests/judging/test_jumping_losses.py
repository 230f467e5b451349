"""Losses that jump before the judge: he accuses no right method there, and wrong ones where he can tell."""

from typing import Any

import pytest

import gradmark
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.stages import bias, noise, sequential
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from tests.judging.estimators import Strategy

UNIT = Trial("heaviside", {"size": 100})
CLIFF = Trial("contact_cliff", {"batch": 16})
SIGNS = Trial("mlp", {"widths": (5, 4, 3), "data": "synthetic", "batch": 6, "activation": "sign"})
# The stage's share of the default, one in a million, for one problem.
ALPHA = 1e-6 / 5


def heard(method: Any, trial: Trial) -> Hearing:
    return Hearing("the method", method, trial, trial.build(), seed=0)


def estimated(method: Any, trial: Trial) -> list[Finding]:
    hearing = heard(method, trial)
    return list(sequential.judged(hearing, sites(hearing.problem, 0)[0], ALPHA, float("inf"), (256,)))


@pytest.mark.parametrize("trial", [UNIT, CLIFF], ids=str)
def test_a_strategy_has_the_mean_of_the_smoothed_loss(trial: Trial) -> None:
    found = estimated(gradmark.get_method("gaussian_es", sigma=0.1), trial)
    assert {each.status for each in found} == {"passed"}, [each.reason for each in found]


@pytest.mark.parametrize("trial", [UNIT, CLIFF], ids=str)
@pytest.mark.parametrize("fault", ["wrong sign", "sum for mean"])
def test_a_wrong_scale_is_told(trial: Trial, fault: str) -> None:
    found = estimated(Strategy(fault=fault, sigma=0.1), trial)
    assert [each.status for each in found] == ["failed"], [each.reason for each in found]


def test_what_finite_moves_add_at_a_jump_has_no_order_and_a_known_mean() -> None:
    found = list(bias.bias_of(heard(gradmark.get_method("gaussian_es", sigma=0.1), UNIT), ALPHA))
    assert [(each.check, each.status) for each in found] == [("bias.constant", "passed")]
    found = list(bias.bias_of(heard(Strategy(law="rademacher"), UNIT), ALPHA))
    assert [(each.check, each.status) for each in found] == [("bias.constant", "skipped")]
    assert "no closed form for rademacher noise" in found[0].reason


def test_estimates_that_never_meet_a_jump_tell_nothing() -> None:
    """Five standard deviations away all of them are zero, and the smoothed gradient is 1e-5."""
    (found,) = estimated(gradmark.get_method("gaussian_es", sigma=0.02), UNIT)
    assert found.status == "undecided" and "only 0 of 256 estimates met a jump" in found.reason


def test_a_law_without_a_closed_form_is_left_alone() -> None:
    (found,) = estimated(gradmark.get_method("spsa", sigma=0.1), UNIT)
    assert found.status == "skipped" and "no closed form for rademacher noise" in found.reason


def test_the_noise_of_a_single_parameter_has_no_two_coordinates_to_compare() -> None:
    found = list(noise.noise_of(heard(gradmark.get_method("gaussian_es", sigma=0.1), CLIFF), ALPHA))
    assert {each.status for each in found} == {"passed"}, [each.reason for each in found]
    assert "noise.correlation" not in [each.check for each in found]


@pytest.mark.parametrize("loss", ["cross_entropy", "zero_one"])
def test_exact_methods_are_right_about_networks_of_signs(loss: str) -> None:
    sizes = {**SIGNS.sizes, "loss": loss}
    report = gradmark.validate("backprop", problems=Trial("mlp", sizes, frozenset({"contract", "accuracy"})))
    assert report.verdict == "correct", report.reason
