"""Invariances: right methods keep to them on every backend, and each catches the faults it is there for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import installed
from gradmark.draw import Draw
from gradmark.judging.hearing import Hearing
from gradmark.judging.invariances.scaled import scaled
from gradmark.judging.stages import invariance
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.method import Estimate

NETWORK = ("mlp", {"widths": (5, 4, 3), "data": "synthetic", "batch": 7})
RELU = ("mlp", {**NETWORK[1], "activation": "relu", "loss": "mse"})
FUNCTION = ("rosenbrock", {"size": 6})
BACKPROP = gradmark.get_method("backprop")
DIFFERENCES = [gradmark.get_method(f"{side}_difference") for side in ("central", "forward")]
EXACT = [gradmark.get_method(name) for name in ("backprop", "tangent", "complex_step", "autograd", "jvp")]


def findings(method: Any, problem: Any, backend: str = "numpy", dtype: str = "float64") -> list[Finding]:
    if not hasattr(problem, "loss"):
        name, sizes = problem
        trial = Trial(name, sizes, backend=backend, dtype=dtype)
        problem = trial.build()
    else:
        trial = Trial("ready", ready=problem)
    return list(invariance.examine([Hearing("method", method, trial, problem)]))


def statuses(found: list[Finding]) -> dict[str, str]:
    """The worst status of each invariance."""
    worst: dict[str, str] = {}
    for each in found:
        if worst.get(each.check) != "failed":
            worst[each.check] = each.status
    return {name.removeprefix("invariance."): status for name, status in worst.items()}


Wrong = Callable[[dict[str, Any], Any, Any], dict[str, Any]]


@dataclass(frozen=True)
class Impostor:
    """Another method with something wrong: ``wrong(gradient, parameters, draw)``."""

    wrong: Wrong
    inner: Any = BACKPROP
    step: float | None = None

    @property
    def claims(self) -> Any:
        return self.inner.claims

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        reason: str | None = self.inner.supports(problem)
        return reason

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        inner = self.inner if self.step is None else replace(self.inner, step=self.step)
        prepared = inner.prepare(problem)

        def gradient(parameters: Any, seed: int = 0, *, draw: Draw | None = None, **_: Any) -> Estimate:
            estimate = prepared(parameters, seed, draw=draw)
            copies = {name: array + 0 for name, array in estimate.gradient.items()}
            return Estimate(self.wrong(copies, parameters, draw or problem.default_draw), None, estimate.work)

        return gradient


def mean_over_one_row_less(gradient: Any, parameters: Any, draw: Draw) -> Any:
    return {name: array * draw.count / (draw.count - 1) for name, array in gradient.items()}


def sum_over_rows(gradient: Any, parameters: Any, draw: Draw) -> Any:
    return {name: array * draw.count for name, array in gradient.items()}


def weight_decay(gradient: Any, parameters: Any, draw: Draw) -> Any:
    return {name: array + 1e-4 * parameters[name] for name, array in gradient.items()}


def normalised(gradient: Any, parameters: Any, draw: Draw) -> Any:
    size = sum(float((array**2).sum()) for array in gradient.values()) ** 0.5
    return {name: array / size for name, array in gradient.items()}


def first_unit_larger(gradient: Any, parameters: Any, draw: Draw) -> Any:
    name = next(iter(gradient))
    gradient[name][0] *= 1.001
    return gradient


def one_percent(gradient: Any, parameters: Any, draw: Draw) -> Any:
    return {name: 1.01 * array for name, array in gradient.items()}


def last_array_reversed(gradient: Any, parameters: Any, draw: Draw) -> Any:
    name = list(gradient)[-1]
    return {**gradient, name: -gradient[name]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("problem", [NETWORK, RELU, FUNCTION])
@pytest.mark.parametrize("method", [*EXACT, *DIFFERENCES], ids=lambda method: type(method).__name__)
def test_no_method_of_ours_is_accused(method: Any, problem: Any, backend: str, dtype: str) -> None:
    built = gradmark.get_problem(problem[0], **problem[1], backend=backend, dtype=dtype)
    if reason := method.supports(built):
        pytest.skip(reason)
    found = findings(method, problem, backend, dtype)
    assert not [each.reason for each in found if each.status not in ("passed", "skipped")]
    if problem is NETWORK and dtype == "float64":
        assert set(statuses(found).values()) == {"passed"}


@pytest.mark.skipif(not installed("jax"), reason="jax is not installed")
@pytest.mark.parametrize("name", ["backprop", "jax_grad"])
def test_compiled_methods_keep_to_them(name: str) -> None:
    found = findings(gradmark.get_method(name), NETWORK, "jax", "float32")
    assert set(statuses(found).values()) == {"passed"}


@pytest.mark.parametrize("dtype", ["longdouble", "bfloat16", "float16"])
def test_neither_are_wider_and_narrower_dtypes(dtype: str) -> None:
    backend = "numpy" if dtype == "longdouble" else "torch"
    for method in (BACKPROP, *DIFFERENCES):
        found = findings(method, NETWORK, backend, dtype)
        assert {each.status for each in found} <= {"passed", "skipped"}


@pytest.mark.parametrize(
    ("wrong", "seen_by"),
    [
        (mean_over_one_row_less, {"additivity", "direction"}),
        (sum_over_rows, {"additivity", "direction"}),
        (weight_decay, {"linearity", "direction"}),
        (normalised, {"additivity", "linearity", "direction"}),
        (first_unit_larger, {"permutation", "direction"}),
        (one_percent, {"direction"}),
        (last_array_reversed, {"direction"}),
    ],
)
def test_each_fault_is_seen_by_the_invariances_it_breaks_and_no_others(
    wrong: Wrong, seen_by: set[str]
) -> None:
    found = statuses(findings(Impostor(wrong), NETWORK))
    assert {name for name, status in found.items() if status == "failed"} == seen_by
    assert {status for name, status in found.items() if name not in seen_by} <= {"passed"}


@pytest.mark.parametrize("inner", DIFFERENCES)
@pytest.mark.parametrize("wrong", [mean_over_one_row_less, weight_decay, first_unit_larger, one_percent])
def test_differences_are_held_to_them_too(wrong: Wrong, inner: Any) -> None:
    found = findings(Impostor(wrong, inner), NETWORK)
    assert "failed" in {each.status for each in found}


def test_a_fault_of_the_stated_size_is_seen() -> None:
    honest = {each.check: each for each in findings(BACKPROP, NETWORK)}
    for name in ("additivity", "linearity", "permutation"):
        assert honest[f"invariance.{name}"].smallest_detectable < 1e-12
    smallest = honest["invariance.direction"].smallest_detectable
    assert smallest is not None and smallest < 1e-10

    def slightly(gradient: Any, parameters: Any, draw: Draw) -> Any:
        return {name: array * (1 + 3 * smallest) for name, array in gradient.items()}

    assert statuses(findings(Impostor(slightly), NETWORK))["direction"] == "failed"


def test_a_failure_says_where() -> None:
    (first, *_) = [e for e in findings(Impostor(mean_over_one_row_less), NETWORK) if e.status == "failed"]
    assert first.check == "invariance.additivity"
    assert "7 rows" in first.reason and "2 and 5 rows" in first.reason
    assert first.evidence is not None and first.evidence.index is not None


def test_a_gradient_that_is_not_finite_is_no_agreement() -> None:
    def nan(gradient: Any, parameters: Any, draw: Draw) -> Any:
        return {name: array * np.nan for name, array in gradient.items()}

    assert "passed" not in statuses(findings(Impostor(nan), NETWORK)).values()


@pytest.mark.parametrize("opened", [True, False])
def test_a_loss_that_refuses_a_part_of_its_batch_is_not_held_to_additivity(opened: bool) -> None:
    """An opened network has parameters for all of its rows; batch statistics need two rows."""
    sizes = {"data": "synthetic", "inputs": 4, "outputs": 3, "depth": 1, "width": 4, "batch": 4}
    problem = gradmark.get_problem("deep_mlp", **sizes, normalisation="none" if opened else "batch")
    found = findings(BACKPROP, problem.opened("inputs") if opened else problem)
    reason = next(each.reason for each in found if each.check == "invariance.additivity")
    assert "a part of the batch" in reason and ("4 rows" if opened else "one row") in reason
    assert set(statuses(found).values()) <= {"passed", "skipped"}


def test_a_loss_that_couples_its_rows_is_not_held_to_additivity() -> None:
    import torch

    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)
    ).double()
    data = torch.randn(8, 3, dtype=torch.float64), torch.randn(8, 1, dtype=torch.float64)
    problem = gradmark.from_torch(module, torch.nn.functional.mse_loss, *data)
    found = findings(gradmark.get_method("autograd"), problem)
    assert statuses(found)["additivity"] == "skipped"
    assert statuses(found)["linearity"] == statuses(found)["direction"] == "passed"


def test_a_plain_function_has_neither_rows_nor_units() -> None:
    found = statuses(findings(gradmark.get_method("complex_step"), FUNCTION))
    assert found == {
        "additivity": "skipped",
        "linearity": "passed",
        "permutation": "skipped",
        "direction": "passed",
    }


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_scaled_network_keeps_the_fast_path_and_moves_like_another(backend: str) -> None:
    from gradmark.structure import all_in_place

    problem = gradmark.get_problem(NETWORK[0], **NETWORK[1], backend=backend)
    other = scaled(problem, 8.0)
    assert other is not None and all_in_place(other.layers, other.criterion)
    moved = other.to(backend="numpy", dtype="longdouble")
    assert float(moved.loss(moved.parameters)) == pytest.approx(8 * float(problem.loss(problem.parameters)))
    gradient = BACKPROP.prepare(other)(other.parameters).gradient
    one = BACKPROP.prepare(problem)(problem.parameters).gradient
    for name, array in gradient.items():
        assert np.array_equal(np.asarray(array), 8 * np.asarray(one[name]))


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_steps_across_kinks_are_no_fault_of_differences(difference: Any) -> None:
    """A step of float32 crosses kinks of relu, where twice the step may change nothing."""
    for seed in range(4):
        sizes = {"length": 4, "hidden": 3, "batch": 4, "activation": "relu", "seed": seed}
        problem = gradmark.get_problem("rnn", **sizes, dtype="float32")
        assert "failed" not in statuses(findings(difference, problem)).values()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_beside_kinks_a_wrong_difference_does_not_give_the_slope_of_the_loss(dtype: str) -> None:
    def doubled(gradient: Any, parameters: Any, draw: Draw) -> Any:
        return {name: 2 * array for name, array in gradient.items()}

    sizes = {"length": 4, "hidden": 3, "batch": 4, "activation": "relu"}
    problem = gradmark.get_problem("rnn", **sizes, dtype=dtype)
    wrong = Impostor(doubled, DIFFERENCES[0])
    assert statuses(findings(wrong, problem))["direction"] == "failed"


def test_no_slope_is_asked_of_where_a_unit_is_exactly_at_its_kink() -> None:
    """All units of a row off: the next ones, without biases, are at zero."""
    sizes = {"data": "synthetic", "inputs": 5, "outputs": 3, "depth": 3, "width": 4, "batch": 6}
    found = findings(BACKPROP, ("deep_mlp", {**sizes, "activation": "relu"}))
    assert statuses(found)["direction"] == "skipped"


def test_a_slope_in_longdouble_is_known_as_well_as_it_says() -> None:
    """Differences of a loss in longdouble are no more exact than the gradient in it."""
    sizes = {"length": 4, "hidden": 2, "batch": 5, "layers": 2, "dtype": "longdouble"}
    for seed in range(3):
        problem = gradmark.get_problem("lstm", **sizes, seed=seed)
        assert "failed" not in statuses(findings(BACKPROP, problem)).values()


def test_random_methods_are_not_examined() -> None:
    assert invariance.applies(gradmark.get_method("gaussian_es").claims) is not None
    assert invariance.applies(BACKPROP.claims) is None
