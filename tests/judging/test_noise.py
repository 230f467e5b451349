"""Noise: moves of the declared law pass, with uniform p-values; others are told by what is wrong."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

import gradmark
from gradmark.judging.hearing import Hearing
from gradmark.judging.stages import noise
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.judging.watching.noise_nulls import of_cosine, sidak
from gradmark.noise_laws import noise_law
from tests.judging.estimators import Strategy

LINEAR = Trial("polynomial", {"size": 100, "degree": 1})
SMALL = Trial("polynomial", {"size": 40, "degree": 1})
NETWORK = Trial("mlp", {"widths": (20, 6, 4), "data": "synthetic", "batch": 4})
# The stage's share of the default, one in a million, for one problem.
ALPHA = 1e-6 / 5


def heard(method: Any, trial: Trial = LINEAR, seed: int = 0, calls: int = 40) -> list[Finding]:
    hearing = Hearing("the method", method, trial, trial.build(), seed=seed)
    return list(noise.noise_of(hearing, ALPHA, calls, seconds=60.0))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("antithetic", [True, False])
def test_gaussian_strategies_pass(backend: str, antithetic: bool) -> None:
    trial = Trial("polynomial", {"size": 100, "degree": 1}, backend=backend)
    found = heard(gradmark.get_method("gaussian_es", antithetic=antithetic), trial)
    assert {each.status for each in found} == {"passed"} and len(found) == 8


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("law", ["gaussian", "rademacher", "orthonormal"])
def test_forward_gradients_pass_with_the_law_they_name(law: str, antithetic: bool) -> None:
    method = gradmark.get_method("forward_gradient", law=law, antithetic=antithetic)
    for seed in range(2):
        found = heard(method, NETWORK, seed)
        assert {each.status for each in found} == {"passed"}, [each.reason for each in found]
        assert "noise.neighbours" in [each.check for each in found]


@pytest.mark.parametrize("kind", ["mirrored", "mean"])
@pytest.mark.parametrize("law", ["gaussian", "rademacher", "uniform", "sphere"])
def test_strategies_of_every_law_pass(law: str, kind: str) -> None:
    for seed in range(3):
        found = heard(Strategy(law=law, kind=kind), seed=seed)
        assert {each.status for each in found} == {"passed"}, [each.reason for each in found]


@pytest.mark.parametrize(
    ("strategy", "check", "calls"),
    [
        (Strategy(fault="layers share a seed"), "noise.correlation", 1),
        (Strategy(fault="same noise every call"), "noise.members", 2),
        (Strategy(fault="neighbouring seeds collide"), "noise.members", 3),
        (Strategy(fault="moves of half the size"), "noise.variance", 1),
        (Strategy(fault="members are correlated"), "noise.neighbours", 2),
        (Strategy(fault="one array moves less"), "noise.arrays", 40),
        (
            Strategy(fault="uniform of variance 1.03", claimed_law="uniform", law="uniform"),
            "noise.variance",
            40,
        ),
        (Strategy(law="uniform", claimed_law="gaussian"), "noise.law", 10),
        (Strategy(law="rademacher", claimed_law="gaussian"), "noise.law", 1),
        (Strategy(law="gaussian", claimed_law="rademacher"), "noise.law", 1),
        (Strategy(law="gaussian", claimed_law="sphere"), "noise.variance", 1),
        (Strategy(fault="moves of half the size", claimed_law="of nobody's"), "noise.variance", 8),
        (Strategy(fault="same noise every call", claimed_law="of nobody's"), "noise.members", 2),
    ],
    ids=str,
)
def test_noise_that_is_not_what_it_is_declared_to_be_is_told(
    strategy: Strategy, check: str, calls: int
) -> None:
    assert check in [each.check for each in heard(strategy, calls=calls) if each.status == "failed"]


def test_shared_seeds_are_told_with_the_arrays_that_share() -> None:
    failed = [
        each for each in heard(Strategy(fault="layers share a seed"), calls=1) if each.status == "failed"
    ]
    evidence = next(each.evidence for each in failed if each.check == "noise.correlation")
    assert evidence is not None and evidence.array is not None and " and " in evidence.array
    assert evidence.found == pytest.approx(1)


@pytest.mark.parametrize("kind", ["mirrored", "mean"])
def test_the_p_values_of_right_noise_are_uniform(kind: str) -> None:
    """60 seeds, 6 calls each. Eight Kolmogorov tests at 1e-4: one alarm in 600 sets of seeds."""
    seen: dict[str, list[float]] = {}
    for seed in range(60):
        for each in heard(Strategy(kind=kind, pairs=16), SMALL, seed=seed, calls=6):
            if each.p_value is not None:
                seen.setdefault(each.check, []).append(each.p_value)
    assert len(seen) == 8
    for check, values in seen.items():
        assert stats.kstest(values, "uniform").pvalue > 1e-4, check
    rejected = sum(value < 0.01 for values in seen.values() for value in values)
    # Binomial(480, 1e-2): more than 16 happen once in 1e5 times.
    assert rejected <= 16


@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
def test_the_null_law_of_cosines_is_exact(law: str) -> None:
    noise_of = noise_law(law)
    assert noise_of is not None
    random, number = np.random.default_rng(5), 12
    one, other = (noise_of.rows(random, 20_000, number) for _ in range(2))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines = np.abs(np.sum(one * other, axis=1)) / lengths
    for value in (0.25, 0.5, 2 / 3):
        share = float(np.mean(cosines >= value - 1e-9))
        expected = of_cosine(value, number, noise_of)
        assert abs(share - expected) < 5 * np.sqrt(expected / 20_000)


def test_sidak_is_the_law_of_the_smallest_of_uniform_numbers() -> None:
    smallest = np.random.default_rng(0).random((2000, 50)).min(axis=1)
    assert stats.kstest([sidak(float(value), 50) for value in smallest], "uniform").pvalue > 1e-3
    assert sidak(1e-12, 10) == pytest.approx(1e-11) and sidak(1.0, 3) == 1.0


def first_failed(method: Any) -> Finding:
    return next(each for each in heard(method) if each.status == "failed")


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("members are correlated", "noise.members", "directions of one call"),
        ("same noise every call", "noise.members", "directions of two calls"),
        ("one array moves less", "noise.arrays", "`first.weight`"),
        ("moves of half the size", "noise.variance", "is 0.2487"),
    ],
)
def test_what_explains_the_others_is_said_first(fault: str, check: str, words: str) -> None:
    found = first_failed(Strategy(fault=fault))
    assert found.check == check and words in found.reason, found.reason


def test_normal_moves_that_are_declared_as_signs_are_told_by_their_law() -> None:
    assert first_failed(Strategy(claimed_law="rademacher")).check == "noise.law"


def test_a_query_that_every_call_makes_is_no_noise() -> None:
    """A baseline taken at another point, the same one for all moves."""

    class Baseline(Strategy):
        def prepare(self, problem: Any, want: Any = "gradient") -> Any:
            honest = super().prepare(problem, want)

            def gradient(parameters: Any, seed: int = 0, **more: Any) -> Any:
                problem.loss({name: 0.9 * array for name, array in parameters.items()})
                return honest(parameters, seed, **more)

            return gradient

    assert {each.status for each in heard(Baseline())} == {"passed"}


def test_moves_of_one_length_are_told_exactly_where_their_law_is_not_known() -> None:
    honest = Strategy(law="rademacher", claimed_law="signs of another kind")
    assert {each.status for each in heard(honest)} == {"passed"}
    found = first_failed(Strategy(law="rademacher", claimed_law="?", fault="moves of half the size"))
    assert found.check == "noise.variance" and "is 0.25 in" in found.reason, found.reason
