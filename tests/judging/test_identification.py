"""Identification: one recorded call convicts every wrong set of weights, and no right one."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.claims import Target
from gradmark.judging.hearing import Hearing
from gradmark.judging.stages import identification
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.judging.watching.forged import forgeries
from gradmark.judging.watching.recording import recorded_losses, recorded_tangents
from gradmark.parameters import ravel
from methods.reverse.parallel.parcel import reason_against
from tests.judging.estimators import Strategy

LINEAR = Trial("polynomial", {"size": 100, "degree": 1})
NETWORK = Trial("mlp", {"widths": (20, 6, 4), "data": "synthetic", "batch": 4})
# JAX compiles every operation by itself when it runs step by step, so it is tried once.
PLACES = [("numpy", True), ("numpy", False), ("torch", True), ("torch", False), ("jax", False)]


def heard(method: Any, trial: Trial = LINEAR, seed: int = 0) -> list[Finding]:
    hearing = Hearing("the method", method, trial, trial.build(), seed=seed)
    return list(identification.examine([hearing]))


def statuses(findings: list[Finding]) -> dict[str, str]:
    return {found.check: found.status for found in findings}


@pytest.mark.parametrize(("backend", "antithetic"), PLACES)
def test_the_recording_holds_every_query_and_changes_none(backend: str, antithetic: bool) -> None:
    pytest.importorskip(backend)
    problem = gradmark.get_problem("polynomial", size=40, backend=backend)
    seen, recording = recorded_losses(problem)
    method = gradmark.get_method("gaussian_es", pairs=4, antithetic=antithetic)
    from gradmark.judging.watching.recording import visibly

    with visibly(seen):
        found = method.prepare(seen)(seen.parameters, 3).gradient
    plain = method.prepare(problem)(problem.parameters, 3).gradient
    for name in plain:
        np.testing.assert_allclose(to_numpy(found[name]), to_numpy(plain[name]), rtol=1e-9)
    rows, values = recording.together()
    assert rows.shape == (8, 40) and recording.hidden is None
    _, unravel = ravel({name: to_numpy(array) for name, array in problem.parameters.items()})
    here = problem.to(backend="numpy")
    np.testing.assert_allclose([float(here.loss(unravel(row))) for row in rows], values, rtol=1e-12)


def test_the_recording_holds_tangents_with_their_slopes() -> None:
    problem: Any = NETWORK.build()
    seen, recording = recorded_tangents(problem)
    gradmark.get_method("forward_gradient", directions=5).prepare(seen)(seen.parameters, 0)
    rows, slopes = recording.together()
    gradient = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    np.testing.assert_allclose(rows @ ravel(gradient)[0], slopes, rtol=1e-10)
    assert rows.shape == (5, 154)


def test_a_trace_has_no_numbers_and_the_recording_says_so() -> None:
    jax = pytest.importorskip("jax")
    seen, recording = recorded_losses(gradmark.get_problem("polynomial", size=20, backend="jax"))
    jax.jit(seen.loss)(seen.parameters)
    assert recording.hidden is not None and recording.hidden.startswith("queries are not visible")


def test_a_method_that_reads_a_graph_is_skipped_with_the_reason() -> None:
    from gradmark.judging.watching.watched import Hidden, watched

    with pytest.raises(Hidden, match="it reads loss, torch graph"):
        problem = gradmark.get_problem("polynomial", backend="torch")
        trial = Trial("polynomial", {}, backend="torch")
        watched(Hearing("autograd", gradmark.get_method("autograd"), trial, problem))
    found = heard(gradmark.get_method("forward_gradient"), Trial("polynomial", {}, backend="torch"))
    assert [each.status for each in found] == ["skipped"] and "it reads jax trace, loss" in found[0].reason


@dataclass(frozen=True)
class Sending(Strategy):
    """One that sends the loss to other processes, and cannot send one that records."""

    def supports(self, problem: Any, want: Any = "gradient") -> str | None:
        return reason_against(problem)


def test_a_method_that_sends_the_loss_away_is_watched_with_one_worker_or_not_at_all() -> None:
    assert {each.status for each in heard(gradmark.get_method("distributed_es"))} == {"passed"}
    found = heard(Sending())
    assert [each.status for each in found] == ["skipped"]
    assert "it does not take a problem that records them" in found[0].reason


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("backend", "antithetic"), PLACES)
def test_gaussian_strategies_are_identified(backend: str, dtype: str, antithetic: bool) -> None:
    pytest.importorskip(backend)
    trial = Trial("polynomial", {"size": 100, "degree": 1}, backend=backend, dtype=dtype)
    found = heard(gradmark.get_method("gaussian_es", antithetic=antithetic), trial)
    assert {each.status for each in found} == {"passed"}
    scale = next(each for each in found if each.check == "identification.scale")
    assert scale.evidence is not None and scale.evidence.found == pytest.approx(1, abs=2e-3)
    # One percent is what has to be seen from 64 evaluations.
    assert scale.evaluations == 0 and sum(each.evaluations for each in found) == 64
    assert scale.smallest_detectable is not None and scale.smallest_detectable < 0.01
    baseline = "none" if antithetic else "the mean loss"
    assert f"baseline: {baseline}" in scale.reason


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_forward_gradient_is_identified_by_its_tangents(backend: str) -> None:
    trial = Trial("mlp", NETWORK.sizes, backend=backend)
    assert {each.status for each in heard(gradmark.get_method("forward_gradient"), trial)} == {"passed"}


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "uniform", "sphere"])
@pytest.mark.parametrize("kind", ["mirrored", "mean", "point"])
def test_right_strategies_of_every_kind_and_law_pass(kind: str, law: str) -> None:
    for seed in range(5):
        found = heard(Strategy(kind=kind, law=law), seed=seed)
        assert {each.status for each in found} == {"passed"}, [each.reason for each in found]


FAULTS = [
    ("1 % too large", "mirrored", "scale", "1.01 times the gradient"),
    ("3 % too small", "mirrored", "scale", "0.97 times the gradient"),
    ("wrong sign", "mirrored", "scale", "the sign is wrong"),
    ("1/sigma is lost", "mirrored", "scale", "1/sigma is missing"),
    ("sum for mean", "mirrored", "scale", "does not divide"),
    ("sum for mean", "mean", "scale", "it is a sum and not a mean"),
    ("baseline without N/(N-1)", "mean", "scale", "a mean loss as baseline needs N/(N-1)"),
    ("one bias twice", "mirrored", "span", "most in `first.bias`"),
    ("transposed", "mirrored", "span", "most in `second.weight`"),
    ("replay of other noise", "mirrored", "span", "outside of the span"),
    ("moves in float16", "mirrored", "span|midpoints", "."),
    ("mirrored not quite", "mirrored", "midpoints", "another point"),
    ("directions twice", "mirrored", "distinct", "16 directions are different"),
    ("centred ranks", "mirrored", "linear", "not linear in the losses"),
    ("same noise every call", "mirrored", "seeds", "the same 32 directions"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "kind", "check", "words"), FAULTS, ids=[f"{f[0]}, {f[1]}" for f in FAULTS])
def test_a_fault_is_found_in_one_or_two_calls_and_called_by_its_name(
    fault: str, kind: str, check: str, words: str
) -> None:
    failed = [each for each in heard(Strategy(fault=fault, kind=kind)) if each.status == "failed"]
    assert len(failed) == 1
    assert failed[0].check in [f"identification.{name}" for name in check.split("|")], failed[0].reason
    assert words in failed[0].reason


def test_normalised_losses_are_no_gradient() -> None:
    """They are linear in the losses of one call, with a factor that the losses themselves decide."""
    failed = [each for each in heard(Strategy(fault="normalised losses")) if each.status == "failed"]
    assert len(failed) == 1 and failed[0].check == "identification.linear", failed[0].reason
    assert "normalised" in failed[0].reason


def test_moves_of_another_size_than_declared_are_said_to_be_so() -> None:
    class Declares(Strategy):
        @property
        def claims(self) -> Any:
            return replace(super().claims, target=Target("smoothed gradient", "gaussian", 2 * self.sigma))

    failed = [each for each in heard(Declares()) if each.status == "failed"]
    assert "its moves have the standard deviation 0.00998, and it declares sigma=0.02" in failed[0].reason


class Selecting(Strategy):
    """Half of the pairs only: the `best` ones, or the first ones."""

    best: bool = True

    def prepare(self, problem: Any, want: Any = "gradient") -> Any:
        from gradmark.method import Estimate
        from gradmark.work import counting
        from tests.judging.estimators import directions

        def gradient(parameters: Any, seed: int = 0, *, draw: Any = None, **_: Any) -> Any:
            x, unravel = ravel(parameters)
            e, half = directions(self, parameters, seed, self.pairs), self.pairs // 2
            with counting() as work:
                ahead = problem.loss(unravel(x + self.sigma * e))
                d = ahead - problem.loss(unravel(x - self.sigma * e))
            kept = np.argsort(-np.abs(d))[:half] if self.best else np.arange(half)
            return Estimate(unravel(d[kept] @ e[kept] / (2 * half * self.sigma)), None, work.total())

        return gradient


def test_dropping_the_worse_half_of_the_pairs_is_not_linear_in_the_losses() -> None:
    """On a linear loss the squares of losses choose the same half as the losses: other numbers must tell."""
    failed = [each for each in heard(Selecting()) if each.status == "failed"]
    assert [each.check for each in failed] == ["identification.linear"]
    assert "selected" in failed[0].reason


def test_directions_without_a_weight_are_counted() -> None:
    found = next(
        each for each in heard(type("First", (Selecting,), {"best": False})()) if "linear" in each.check
    )
    assert found.status == "skipped" and "16 of 32 directions have none" in found.reason


def test_weights_that_mix_directions_but_stay_linear_are_left_to_another_stage() -> None:
    """Least squares: (P/M) E^+ c, unbiased on a linear loss, though no weight hangs on its own loss alone."""

    class LeastSquares(Strategy):
        def prepare(self, problem: Any, want: Any = "gradient") -> Any:
            from gradmark.method import Estimate
            from gradmark.work import counting
            from tests.judging.estimators import directions

            def gradient(parameters: Any, seed: int = 0, *, draw: Any = None, **_: Any) -> Any:
                x, unravel = ravel(parameters)
                e = directions(self, parameters, seed, self.pairs)
                with counting() as work:
                    ahead = problem.loss(unravel(x + self.sigma * e))
                    slopes = (ahead - problem.loss(unravel(x - self.sigma * e))) / (2 * self.sigma)
                vector = x.size / self.pairs * np.linalg.lstsq(e, slopes, rcond=None)[0]
                return Estimate(unravel(vector), None, work.total())

            return gradient

    found = statuses(heard(LeastSquares()))
    assert found["identification.linear"] == "skipped" and "failed" not in found.values()


@pytest.mark.parametrize(
    ("method", "trial"),
    [
        (gradmark.get_method("gaussian_es"), LINEAR),
        (gradmark.get_method("gaussian_es", antithetic=False), LINEAR),
        (
            gradmark.get_method("gaussian_es"),
            Trial("polynomial", {"size": 100, "degree": 1}, dtype="float32"),
        ),
        (gradmark.get_method("forward_gradient"), NETWORK),
        (Strategy(kind="point"), LINEAR),
    ],
)
def test_impostors_of_a_method_are_convicted_on_the_spot(method: Any, trial: Trial) -> None:
    made = list(forgeries(Hearing("the method", method, trial, trial.build())))
    assert [each.name for each in made] == ["scaled", "negated", "zero", "the same noise every call"]
    assert all(each.caught for each in made), [each.reason for each in made if not each.caught]
    # Ten times what can be told in float32 is not quite a percent.
    assert made[0].error is not None and made[0].error < 0.01
