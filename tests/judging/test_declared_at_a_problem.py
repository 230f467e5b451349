"""A variance that is declared at a problem, and depends on its data, is judged there as any other."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

import gradmark
from gradmark.claims import Claims, Unbiased
from gradmark.judging.contracts.purity import seeded
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.replicating.estimates import declaration_of
from gradmark.judging.stages import efficiency, sequential
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm

NETWORK = Trial(
    "mlp", {"widths": (5, 6, 4), "data": "synthetic", "batch": 4, "loss": "mse"}, frozenset({"quick"})
)


@dataclass(frozen=True)
class Claiming:
    """Activity perturbation that claims `times` its variance."""

    directions: int = 16
    times: float = 1.0

    @property
    def honest(self) -> Any:
        return gradmark.get_method("activity_perturbation", directions=self.directions)

    @property
    def claims(self) -> Claims:
        true: Claims = self.honest.claims
        claimed = true.exactness
        assert isinstance(claimed, Unbiased) and claimed.factor_at is not None
        at = claimed.factor_at
        return replace(true, exactness=replace(claimed, factor_at=lambda p, g: self.times * at(p, g)))

    def supports(self, problem: Any, want: Any = "gradient") -> str | None:
        reason: str | None = self.honest.supports(problem, want)
        return reason

    def prepare(self, problem: Any, want: Any = "gradient") -> Any:
        return self.honest.prepare(problem, want)


def hearing(method: Any, trial: Trial = NETWORK) -> Hearing:
    return Hearing("the method", method, trial, trial.build(), false_alarm=1e-6)


def found(stage: Any, method: Any) -> list[Finding]:
    return list(stage.examine([hearing(method)]))


def failed(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings if finding.status == "failed"]


def test_the_right_one_passes() -> None:
    for stage, checks in (
        (sequential, {"sequential.scale", "sequential.arrays", "sequential.variance"}),
        (efficiency, {"efficiency.rate", "efficiency.shrunk"}),
    ):
        findings = found(stage, Claiming())
        assert {finding.status for finding in findings} == {"passed"}, [each.reason for each in findings]
        assert checks <= {finding.check for finding in findings}


@pytest.mark.parametrize("times", [0.7, 1.3])
def test_one_that_is_off_by_thirty_percent_fails(times: float) -> None:
    assert failed(found(sequential, Claiming(times=times))) == ["sequential.variance"]


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_the_shrunk_error_convicts_a_factor_of_two_by_itself(times: float) -> None:
    assert failed(found(efficiency, Claiming(times=times))) == ["efficiency.shrunk"]


def test_it_is_taken_at_the_place_that_is_examined() -> None:
    case = hearing(Claiming())
    first, second = (
        declaration_of(case, site, case.method).variance for site in sites(case.problem, case.seed)[:2]
    )
    assert first is not None and second is not None
    # Another point and draw: a factor of the data is another one there.
    assert abs(first / second - 1) > 0.01


def test_a_variance_of_a_size_alone_stays_that_of_a_linear_loss() -> None:
    method = gradmark.get_method("gaussian_es", sigma=0.1)
    declared = []
    for degree in (1, 2):
        case = hearing(method, Trial("polynomial", {"size": 20, "degree": degree}))
        declared.append(declaration_of(case, sites(case.problem)[0], method).variance)
    assert declared == [21 / 64, None]


def test_one_answer_for_all_seeds_is_right_where_no_variance_is_declared() -> None:
    """One node for each row, moved by signs: (S u) u = S."""
    trial = Trial("logistic_regression", {"batch": 16})
    method = gradmark.get_method("activity_perturbation", law="rademacher")

    @dataclass(frozen=True)
    class Mistaken:
        """Says that it varies."""

        claims: Claims

        def supports(self, problem: Any, want: Any = "gradient") -> str | None:
            return None

        def prepare(self, problem: Any, want: Any = "gradient") -> Any:
            return method.prepare(problem, want)

    def verdict(judged: Any) -> Finding:
        case = hearing(judged, trial)
        return seeded(case, case.call(seed=case.seed), sites(case.problem)[0])

    assert (verdict(method).status, verdict(method).reason) == ("passed", "the seed changes nothing.")
    size_alone = replace(method.claims.exactness, factor_at=None)
    assert verdict(Mistaken(replace(method.claims, exactness=size_alone))).status == "failed"
    assert norm(method.prepare(trial.build())(trial.build().parameters).gradient["layers.0.bias"]) > 0
