"""Where the law of a method's moves has no formula, the judge makes them small, and knows the mean again."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

import gradmark
from gradmark.claims import Claims
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.replicating.estimates import NoTarget, declaration_of, with_samples
from gradmark.judging.stages import controls, sequential
from gradmark.judging.trial import Trial

NETWORK = Trial("mlp", {"widths": (5, 4, 3), "data": "synthetic", "batch": 4}, frozenset({"quick"}))


@dataclass(frozen=True)
class Scaled:
    """Node perturbation, `times` as large as it should be."""

    pairs: int = 16
    sigma: float = 0.1
    times: float = 1.0

    @property
    def right(self) -> Any:
        return gradmark.get_method("node_perturbation", pairs=self.pairs, sigma=self.sigma)

    @property
    def claims(self) -> Claims:
        found: Claims = self.right.claims
        return found

    def supports(self, problem: Any, want: Any = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: Any = "gradient") -> Any:
        function = self.right.prepare(problem)

        def gradient(*of: Any, **more: Any) -> Any:
            estimate = function(*of, **more)
            return replace(estimate, result={a: self.times * g for a, g in estimate.result.items()})

        return gradient


def hearing(method: Any, trial: Trial = NETWORK) -> Hearing:
    return Hearing("the method", method, trial, trial.build(), false_alarm=1e-6)


def test_the_mean_is_that_of_small_moves_and_unknown_for_its_own() -> None:
    case = hearing(Scaled())
    site = sites(case.problem)[0]
    small = with_samples(case, site, 8)
    assert (small.pairs, small.sigma) == (8, case.problem.arrays.epsilon ** (1 / 3))  # type: ignore[attr-defined]
    assert declaration_of(case, site, small).variance is not None
    with pytest.raises(NoTarget, match="no formula is known"):
        declaration_of(case, site, Scaled())


def test_a_right_one_passes_and_one_off_by_a_fifth_fails() -> None:
    for times, expected in ((1.0, set()), (1.2, {"sequential.scale"})):
        findings = list(sequential.examine([hearing(Scaled(times=times))]))
        assert {each.check for each in findings if each.status != "passed"} == expected
    assert [each.status for each in controls.examine([hearing(Scaled())])] == ["passed"]


def test_moves_of_a_known_law_keep_their_sigma_and_so_do_those_of_a_loss_with_kinks() -> None:
    site = sites(hearing(Scaled()).problem)[0]
    gaussian = gradmark.get_method("gaussian_es")
    assert with_samples(hearing(gaussian), site, 8) == replace(gaussian, pairs=8)
    kinked = Trial("mlp", {**NETWORK.sizes, "activation": "relu"})
    case = hearing(Scaled(), kinked)
    with pytest.raises(NoTarget):
        declaration_of(case, sites(case.problem)[0], with_samples(case, sites(case.problem)[0], 8))
