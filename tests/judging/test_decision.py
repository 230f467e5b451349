"""The black-box decision before impostors and honest estimates: what it finds, and how often it errs.

Estimates are S g with a Wishart matrix S, made here; every run has fixed seeds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gradmark.judging.replicating.decision import Decision, decide, looks_for
from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.direction import shown_uphill
from gradmark.judging.replicating.mean_and_variance import repeats
from gradmark.judging.replicating.replicates import Replicates
from gradmark.measuring.skew_corrected import FEWEST

SIZE, SAMPLES = 14, 32
ALPHA = 1e-7
G = np.random.default_rng(5).standard_normal(SIZE)
CONSTANT = 0.1 * np.linalg.norm(G) * np.eye(SIZE)[3]
ARRAYS = {"weight": slice(0, 8), "bias": slice(8, 10), "rest": slice(10, SIZE)}
RUNS = 100
Estimate = Callable[[int], Any]


def normal(number: int, run: int = 0) -> Any:
    e = np.random.default_rng([run, number]).standard_normal((SAMPLES, SIZE))
    return (e @ G) @ e / SAMPLES


def signs(number: int, run: int = 0) -> Any:
    e = np.sign(np.random.default_rng([run, number]).standard_normal((SAMPLES, SIZE)))
    return (e @ G) @ e / SAMPLES


def ranked(number: int) -> Any:
    """Centred ranks passed off as a gradient."""
    e = np.random.default_rng([9, number]).standard_normal((SAMPLES, SIZE))
    losses = np.concatenate([e @ G, -e @ G])
    ranks = np.argsort(np.argsort(losses)) / (2 * SAMPLES - 1) - 0.5
    return (ranks[:SAMPLES] - ranks[SAMPLES:]) @ e / (2 * SAMPLES * 0.01)


def without_baseline(number: int) -> Any:
    """One-sided, of losses whose level is left in: the mean is right, the spread is not."""
    e = np.random.default_rng([3, number]).standard_normal((SAMPLES, SIZE))
    return (e @ G + 30 * np.linalg.norm(G)) @ e / SAMPLES


def bias_doubled(number: int) -> Any:
    found = normal(number)
    found[ARRAYS["bias"]] *= 2
    return found


def declared(*, exact: bool, law: str = "normal") -> Declaration:
    factor = SIZE + 1 if law == "normal" else SIZE - 1
    return Declaration(G, ARRAYS, SAMPLES, factor / SAMPLES, SAMPLES if exact else None, 1e-8)


exact_or_not = pytest.mark.parametrize("exact", [True, False], ids=["exact law", "unknown law"])
# Fault, the tests that may find it, and the most estimates that it may take.
FAULTS: dict[str, tuple[Estimate, set[str], int]] = {
    "factor 2": (lambda k: 2 * normal(k), {"scale"}, 256),
    "half": (lambda k: 0.5 * normal(k), {"scale"}, 256),
    "10 % too large": (lambda k: 1.1 * normal(k), {"scale", "arrays", "variance"}, 1024),
    "5 % too large": (lambda k: 1.05 * normal(k), {"scale", "arrays", "variance"}, 4096),
    "5 % too small": (lambda k: 0.95 * normal(k), {"scale", "arrays", "variance"}, 4096),
    "1/sigma missing": (lambda k: 0.01 * normal(k), {"scale"}, 256),
    "sum for mean": (lambda k: SAMPLES * normal(k), {"scale"}, 256),
    "wrong sign": (lambda k: -normal(k), {"scale"}, 256),
    "zero": (lambda k: 0 * G, {"scale"}, 256),
    "the same noise for every seed": (lambda k: normal(0), {"scale", "arrays"}, 256),
    "sixteen different seeds": (lambda k: normal(k % 16), {"bias"}, 256),
    "two seeds share their noise": (lambda k: normal(k // 2), {"repeats"}, 256),
    "one small array twice": (bias_doubled, {"scale", "arrays"}, 512),
    "noise of variance 1.1": (lambda k: 1.1 * normal(k), {"scale", "arrays", "variance"}, 1024),
    "centred ranks": (ranked, {"scale"}, 256),
    "a constant added": (lambda k: normal(k) + CONSTANT, {"arrays", "bias"}, 2048),
    "20 % more variance than declared": (lambda k: G + 1.2**0.5 * (normal(k) - G), {"variance"}, 1024),
    "20 % less variance than declared": (lambda k: G + 0.8**0.5 * (normal(k) - G), {"variance"}, 1024),
    "no baseline": (without_baseline, {"variance"}, 256),
    "not a number": (lambda k: G * np.nan, {"scale", "arrays"}, 256),
}  # fmt: skip


@exact_or_not
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_the_test_for_it(fault: str, exact: bool) -> None:
    estimate, by, within = FAULTS[fault]
    decision = decide(estimate, declared(exact=exact), ALPHA)
    assert decision.fault is not None and decision.fault.name in by, decision.tested
    assert decision.count <= within


def test_an_exact_law_finds_gross_faults_after_a_few_estimates() -> None:
    for fault in ("factor 2", "half", "wrong sign", "sum for mean"):
        decision = decide(FAULTS[fault][0], declared(exact=True), ALPHA)
        assert decision.fault is not None
        assert decision.fault.test.seen is not None and decision.fault.test.seen * SAMPLES <= 512


def test_the_array_at_fault_is_named() -> None:
    decision = decide(bias_doubled, declared(exact=False), ALPHA)
    assert decision.fault is not None and decision.fault.test.part == "bias"


@exact_or_not
def test_an_honest_estimate_passes_and_ends_early_with_its_scale_shown(exact: bool) -> None:
    decision = decide(normal, declared(exact=exact), ALPHA)
    assert decision.fault is None and decision.count <= 8192
    scale = decision.of("scale")
    assert scale is not None and scale.test.detectable <= 0.05
    assert 0.95 < scale.test.value.low <= 1 <= scale.test.value.high < 1.05


def test_normal_directions_are_told_from_signs_by_their_variance() -> None:
    decision = decide(signs, declared(exact=True), ALPHA)
    assert decision.fault is not None and decision.fault.name == "variance"
    assert decide(signs, declared(exact=False, law="signs"), ALPHA).fault is None


def test_an_exact_estimate_has_no_variance_and_passes_where_none_is_declared() -> None:
    whole = Declaration(G, ARRAYS, SAMPLES, 0.0, None, 1e-8)
    assert decide(lambda k: G, whole, ALPHA).fault is None
    assert decide(lambda k: G * (1 + 1e-12), whole, ALPHA).fault is None
    assert decide(lambda k: G * (1 + 1e-6), whole, ALPHA).fault is not None
    assert decide(normal, whole, ALPHA).fault is not None


def run(
    estimate: Callable[[int, int], Any], declaration: Declaration, number: int, looks: tuple[int, ...]
) -> Decision:
    return decide(lambda k: estimate(k, 1 + number), declaration, 0.05, looks)


@pytest.mark.parametrize(
    ("estimate", "exact", "law"),
    [(normal, True, "normal"), (normal, False, "normal"), (signs, False, "signs")],
)
def test_single_looks_have_uniform_p_values(estimate: Any, exact: bool, law: str) -> None:
    runs = [run(estimate, declared(exact=exact, law=law), k, (FEWEST,)) for k in range(RUNS)]
    for name in ("scale", "variance", "repeats", "bias"):
        p_values = [each.p_value for one in runs for each in one.tested if each.name == name]
        assert len(p_values) == RUNS
        assert stats.kstest(p_values, "uniform").pvalue > 1e-4, name
    arrays = [each.p_value for one in runs for each in one.tested if each.name == "arrays"]
    assert stats.kstest(arrays, "uniform", alternative="greater").pvalue > 1e-4


@exact_or_not
def test_several_looks_accuse_no_more_often_than_they_may(exact: bool) -> None:
    runs = [run(normal, declared(exact=exact), k, (256, 512)) for k in range(RUNS)]
    accused = sum(each.fault is not None for each in runs)
    assert stats.binomtest(accused, RUNS, 0.05, alternative="greater").pvalue > 1e-4
    for name in ("scale", "variance", "repeats", "bias", "arrays"):
        p_values = [each.p_value for one in runs for each in one.tested if each.name == name]
        assert stats.kstest(p_values, "uniform", alternative="greater").pvalue > 1e-4, name


def test_estimates_of_few_samples_wait_longer_for_their_first_look() -> None:
    assert looks_for(32)[0] == 256 and looks_for(64)[0] == 256
    assert looks_for(1)[0] == 8192 and looks_for(4)[0] == 2048


def test_without_time_nothing_is_decided() -> None:
    decision = decide(normal, declared(exact=False), ALPHA, may_go_on=lambda: False)
    assert decision.tested == () and decision.fault is None


DIRECTIONS: dict[str, tuple[Estimate, str]] = {
    "shorter by half": (lambda k: 0.5 * normal(k), "passed"),
    "ranks": (ranked, "passed"),
    "downhill": (lambda k: -normal(k), "failed"),
    "zero": (lambda k: 0 * G, "failed"),
}


@pytest.mark.parametrize("which", DIRECTIONS)
def test_a_direction_must_point_along_the_gradient(which: str) -> None:
    estimate, status = DIRECTIONS[which]
    assert shown_uphill(estimate, G, ALPHA, lambda: True)[0] == status


def test_a_direction_across_the_gradient_stays_undecided() -> None:
    across = np.linalg.svd(G[None])[2][1]

    def sample(number: int) -> Any:
        return np.random.default_rng(number).standard_normal() * G + across

    status, _, p_value = shown_uphill(sample, G, ALPHA, lambda: True)
    assert status == "undecided" and p_value is not None and p_value > 1e-4


def test_products_of_heavy_tailed_estimates_have_uniform_p_values() -> None:
    """Of one direction each, 30 numbers; a skewness estimated from 256 such products is mostly chance."""
    random, gradient = np.random.default_rng(7), np.eye(30)[0]
    found = []
    for _ in range(400):
        e = random.standard_normal((FEWEST, 30))
        replicates = Replicates(Declaration(gradient))
        replicates.extend((e[:, :1] * e).__getitem__, FEWEST, lambda: True)
        found.append(repeats(replicates, Declaration(gradient), ALPHA).p_value)
    assert stats.kstest(found, "uniform").pvalue > 1e-3
    assert sum(p <= 0.01 for p in found) <= stats.binom.isf(1e-3, len(found), 0.01)
