"""The stages sequential and efficiency before honest methods, in the long and short form, and impostors."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Target
from gradmark.judging.calibrating.subjects import random_signs
from gradmark.judging.clock import Clock
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.places.sites import sites
from gradmark.judging.replicating.polynomial_degree import polynomial_degree
from gradmark.judging.stages import efficiency, sequential
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.parameters import ravel

LINEAR = Trial("polynomial", {"size": 20, "degree": 1})
CURVED = Trial("polynomial", {"size": 20, "degree": 4})
LAYERS = Trial("mlp", {"widths": (6, 4), "data": "synthetic", "batch": 4})


def hearing(method: Any, trial: Trial, seconds: float | None = None) -> Hearing:
    return Hearing(type(method).__name__, method, trial, trial.build(), 0, 1e-6, Clock(seconds))


def found(stage: Any, method: Any, trial: Trial, seconds: float | None = None) -> list[Finding]:
    return list(stage.examine([hearing(method, trial, seconds)]))


def statuses(findings: Sequence[Finding]) -> set[str]:
    return {finding.status for finding in findings}


def noise(seed: int, pairs: int, size: int) -> Any:
    return np.random.default_rng(seed).standard_normal((pairs, size))


def estimator(change: Any, factor: Any = lambda size: size + 1, **claims: Any) -> Any:
    """An antithetic evolution strategy in the short form; `change(slopes, e, seed)` spoils it."""
    claims = claims or {"samples": "pairs", "variance_factor": factor}

    @gradmark.gradient_method(family="evolution", **claims)
    def planted(problem: Any, parameters: Any, seed: int, pairs: int = 16, sigma: float = 0.1) -> Any:
        x, unravel = ravel(parameters)
        e = noise(seed, pairs, x.size)
        up, down = (problem.loss(unravel(x + sign * sigma * e)) for sign in (1, -1))
        return unravel(np.asarray(change((up - down) / (2 * sigma), e, seed), dtype=x.dtype))

    return planted()


def honest(slopes: Any, e: Any, seed: int) -> Any:
    return slopes @ e / len(e)


HONEST = [
    (gradmark.get_method("gaussian_es"), LINEAR),
    (gradmark.get_method("gaussian_es", antithetic=False), LINEAR),
    (gradmark.get_method("gaussian_es", sigma=0.3), CURVED),
    (gradmark.get_method("gaussian_es", sigma=0.3, antithetic=False), CURVED),
    (gradmark.get_method("forward_gradient"), LAYERS),
    (random_signs(), LINEAR),
    (estimator(honest), LINEAR),
]


@pytest.mark.parametrize(("method", "trial"), HONEST)
def test_honest_methods_pass_with_their_power_stated(method: Any, trial: Trial) -> None:
    findings = found(sequential, method, trial)
    assert statuses(findings) == {"passed"}, [finding.reason for finding in findings]
    scale = findings[0]
    assert scale.check == "sequential.scale"
    assert scale.smallest_detectable is not None and scale.smallest_detectable <= 0.06
    assert all(finding.p_value is not None and 0 <= finding.p_value <= 1 for finding in findings)
    assert scale.evaluations > 1000


IMPOSTORS: dict[str, tuple[Any, str]] = {
    "5 % too large": (lambda slopes, e, seed: 1.05 * honest(slopes, e, seed), "its"),
    "wrong sign": (lambda slopes, e, seed: -honest(slopes, e, seed), "times the gradient"),
    "sum for mean": (lambda slopes, e, seed: slopes @ e, "times the gradient"),
    "one for all": (lambda slopes, e, seed: 0 * e[0] + 1.0, "same answer for every seed"),
    "a seed shares its noise with the next": (
        lambda slopes, e, seed: honest(*_with_neighbour(slopes, e, seed)),
        "neighbouring seeds share their noise",
    ),
    "centred": (lambda slopes, e, seed: np.sign(slopes) @ e / len(e), "times the gradient"),
}  # fmt: skip


def _with_neighbour(slopes: Any, e: Any, seed: int) -> tuple[Any, Any, int]:
    """The noise of the even seed at or below, and the slopes that go with it on the linear loss."""
    other = noise(seed - seed % 2, *e.shape)
    return other @ _GRADIENT, other, seed


_PROBLEM = LINEAR.build()
_GRADIENT = ravel(_PROBLEM.closed_form(_PROBLEM.parameters, _PROBLEM.default_draw))[0]  # type: ignore[misc]


@pytest.mark.parametrize("which", IMPOSTORS)
def test_impostors_are_found_out_for_the_right_reason(which: str) -> None:
    change, reason = IMPOSTORS[which]
    findings = found(sequential, estimator(change), LINEAR)
    assert [finding.status for finding in findings] == ["failed"]
    assert reason in findings[0].reason
    assert findings[0].evidence is not None and findings[0].evidence.found is not None


def test_a_declared_variance_that_is_off_by_a_fifth_is_wrong() -> None:
    for factor in (lambda size: 0.8 * (size + 1), lambda size: 1.2 * (size + 1)):
        findings = found(sequential, estimator(honest, factor=factor), LINEAR)
        assert [finding.check for finding in findings if finding.status == "failed"] == [
            "sequential.variance"
        ]


def test_the_plain_gradient_is_not_the_smoothed_one() -> None:
    """What claims the gradient is wrong by sigma^2/2 grad(tr H), what claims the mean is not."""
    wide = gradmark.get_method("gaussian_es", sigma=0.5)
    assert statuses(found(sequential, wide, CURVED)) == {"passed"}

    @gradmark.gradient_method(family="evolution", samples="pairs", variance_factor=lambda size: size + 1)
    def plain(problem: Any, parameters: Any, seed: int, pairs: int = 32) -> Any:
        method = gradmark.get_method("gaussian_es", sigma=0.5, pairs=pairs)
        return method.prepare(problem)(parameters, seed).gradient

    assert "failed" in statuses(found(sequential, plain(), CURVED))


def test_a_direction_is_asked_for_its_sign_only() -> None:
    claims = {"biased": "signs of slopes", "target": Target("direction")}
    signs = estimator(lambda slopes, e, seed: np.sign(slopes) @ e, **claims)
    downhill = estimator(lambda slopes, e, seed: -np.sign(slopes) @ e, **claims)
    assert statuses(found(sequential, signs, LINEAR)) == {"passed"}
    assert statuses(found(sequential, downhill, LINEAR)) == {"failed"}


def test_methods_without_a_claimed_mean_are_left_alone() -> None:
    biased = estimator(honest, biased="ranks")
    assert sequential.applies(biased.claims) == "it claims no mean: biased: ranks"
    assert efficiency.applies(biased.claims) == "it declares no variance"
    assert sequential.applies(gradmark.get_method("backprop").claims) == "it is not random"


def test_without_time_it_is_undecided_and_never_wrong() -> None:
    findings = found(sequential, gradmark.get_method("gaussian_es"), LINEAR, seconds=1e-3)
    assert statuses(findings) == {"undecided"}
    assert "too few" in findings[0].reason


def test_a_method_that_raises_is_told_from_a_judge_that_does() -> None:
    def broken(slopes: Any, e: Any, seed: int) -> Any:
        raise ZeroDivisionError("by design")

    with pytest.raises(MethodError, match="by design"):
        found(sequential, estimator(broken), LINEAR)


def test_where_the_smoothed_gradient_is_unknown_it_says_so() -> None:
    findings = found(sequential, gradmark.get_method("gaussian_es"), Trial("rosenbrock", {"size": 4}))
    assert statuses(findings) == {"skipped"} and "no formula is known" in findings[0].reason


@pytest.mark.parametrize(
    ("name", "degree"), [("quadratic", 2), ("rosenbrock", None), ("log_sum_exp", None), ("linear", 1)]
)
def test_linear_and_quadratic_losses_are_recognised(name: str, degree: int | None) -> None:
    for dtype in ("float64", "float32"):
        trial = LINEAR if name == "linear" else Trial(name)
        problem = trial.build().to(dtype=dtype)
        assert polynomial_degree(problem, problem.parameters) == degree


def on_the_ladder(method: Any) -> list[Finding]:
    """Without a clock, so that a busy machine changes nothing."""
    before = hearing(method, LINEAR)
    site = sites(before.problem)[0]
    return list(efficiency.judged(before, site, 1e-7, math.inf, ladder=(16, 64, 256)))


@pytest.mark.parametrize("method", [HONEST[0][0], HONEST[1][0], random_signs()])
def test_the_error_of_an_honest_method_falls_as_declared(method: Any) -> None:
    findings = on_the_ladder(method)
    assert statuses(findings) == {"passed"}
    rate = findings[0].evidence
    assert rate is not None and rate.found is not None and rate.uncertainty is not None
    assert abs(rate.found + 0.5) <= 3 * rate.uncertainty < 0.06


def test_directions_of_which_there_are_few_are_taken_in_such_numbers_as_there_are() -> None:
    """Orthogonal ones are no more than parameters, here 28, where their variance (P - K)/K ends."""
    findings = found(efficiency, gradmark.get_method("forward_gradient", law="orthonormal"), LAYERS)
    assert statuses(findings) == {"passed"}, [each.reason for each in findings]
    assert "from 4 to 16" in findings[0].reason


def test_samples_that_are_not_independent_are_found_out() -> None:
    """Four pairs, whatever `pairs` says: the error does not fall."""
    pairs_repeat = estimator(lambda slopes, e, seed: slopes[:4] @ e[:4] / 4)
    findings = on_the_ladder(pairs_repeat)
    assert findings[0].check == "efficiency.rate" and findings[0].status == "failed"


def test_a_variance_is_declared_for_linear_losses_only() -> None:
    findings = found(efficiency, HONEST[0][0], CURVED)
    assert statuses(findings) == {"skipped"} and "linear loss" in findings[0].reason
