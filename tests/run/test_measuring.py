"""What a comparison measures, where it runs, and how often it calls."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gradmark
from gradmark.errors import UsageError
from gradmark.measuring.error import profile
from gradmark.reference import Reference
from gradmark.run import case_detail, cpus
from gradmark.run.accuracy import error_records
from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import PLAIN_FORWARD, Record, from_line, to_line
from gradmark.run.session import Candidate, Session
from tests.run.plans import call

Make = Callable[..., Comparison]
Run = Callable[..., dict[str, dict[str, Record]]]


def test_a_worker_has_its_threads_and_one_cpu_for_each_and_the_kernels_it_was_given(
    comparison: Make, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    run(comparison(call("tells", path=str(tmp_path / "told")), quantities=("work",)))
    told = json.loads((tmp_path / "told").read_text())
    assert told["cpus"] == 1
    assert told["variables"]["OMP_NUM_THREADS"] == told["variables"]["OPENBLAS_NUM_THREADS"] == "1"
    assert told["variables"]["OPENBLAS_CORETYPE"] == "Haswell"


def test_a_worker_avoids_a_cpu_that_others_use(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([{0: 10, 1: 10, 2: 10}, {0: 13, 1: 13, 2: 10}])
    monkeypatch.setattr(cpus, "_idle_ticks", lambda: next(looks))
    assert cpus.idlest([0, 1, 2], 1) == [1]


def test_a_slow_method_is_called_once_for_error_work_and_time(
    comparison: Make, run: Run, tmp_path: Path
) -> None:
    slow = call("slow", seconds_per_parameter=0.6, log=str(tmp_path / "log"))
    found = run(comparison(slow, "honest", size=2, quantities=("time", "error", "work")))["slow"]
    assert (tmp_path / "log").read_text() == "called\n"
    assert found["time"].value == pytest.approx(1.2, rel=0.2)
    assert found["time"].detail["samples"] == 1
    # One sample has no interval, and none is claimed.
    assert found["time"].low is found["ratio"].low is None


def test_the_copies_that_a_method_is_given_are_no_memory_of_its_own(comparison: Make, run: Run) -> None:
    size = 1_000_000
    found = run(comparison("honest", size=size, quantities=("memory",)))["honest"]["peak_bytes"]
    assert found.value is not None
    assert found.value == pytest.approx(8 * size, abs=found.detail["resolution"])


def test_a_comparison_with_a_budget_is_timed_for_as_long(comparison: Make, run: Run, tmp_path: Path) -> None:
    slow = call("slow", seconds_per_parameter=0.1, log=str(tmp_path / "log"))
    usual, longer = (
        run(comparison(slow, size=size, quantities=("time",), budget=budget))["slow"]["time"].detail[
            "samples"
        ]
        for size, budget in ((1, None), (2, 4.0))
    )
    assert usual <= 2 and longer >= 8
    with pytest.raises(UsageError, match=r"`budget=0` must be a positive number of seconds"):
        comparison("honest", budget=0)


def test_the_ratio_is_the_time_in_plain_forward_passes(comparison: Make, run: Run) -> None:
    found = run(comparison("honest", size=1_000, quantities=("time",)))
    ratio, forward = found["honest"]["ratio"], found[PLAIN_FORWARD]["time"]
    assert ratio.detail["forward_seconds"] == forward.value
    assert ratio.value is not None and forward.value is not None and found["honest"]["time"].value is not None
    # Medians of paired ratios and the ratio of medians differ by no more than the quartiles do.
    assert ratio.value == pytest.approx(found["honest"]["time"].value / forward.value, rel=0.5)
    assert ratio.low is not None and ratio.high is not None
    assert ratio.low <= ratio.value <= ratio.high


def test_a_stochastic_error_is_a_root_mean_square_over_seeds(comparison: Make, run: Run) -> None:
    samples, repetitions = 4, 200
    found = run(
        comparison(call("noisy", samples=samples), size=50, quantities=("error",), repetitions=repetitions)
    )["noisy"]
    error, cosine = found["error"], found["cosine"]
    assert error.detail["repetitions"] == cosine.detail["repetitions"] == repetitions
    assert error.value is not None and error.low is not None and error.high is not None
    # E|noise|^2 = |g|^2 / samples; the mean of 200 x 50 squares of normals is within 5 standard deviations,
    # 5 sqrt(2 / 10^4) = 7 %, but for one run in two million.
    assert error.value**2 == pytest.approx(1 / samples, rel=0.075)
    assert error.low < error.value < error.high
    assert found["case"].detail["stochastic"] is True


def test_an_exact_method_is_tried_once_whatever_the_repetitions(comparison: Make, run: Run) -> None:
    found = run(comparison("honest", quantities=("error",), repetitions=7))["honest"]
    assert found["error"].detail["repetitions"] == 1
    assert (found["error"].value, found["cosine"].value, found["norm_ratio"].value) == (0.0, 1.0, 1.0)


def test_a_case_says_what_the_method_claims_and_how_large_the_problem_is(run: Run) -> None:
    calls = (
        MethodCall("central_difference"),
        MethodCall("gaussian_es", {"pairs": 8}),
        MethodCall("autograd"),
    )
    wanted = Comparison("cost", "mlp", {"widths": (64, 3, 10)}, calls, ("work",))
    found = run(wanted)
    parameters = 64 * 3 + 3 + 3 * 10 + 10
    central, es = found["central_difference"]["case"].detail, found["gaussian_es"]["case"].detail
    assert {central["P"], es["P"]} == {parameters}
    assert (central["rows"], central["depth"]) == (32, 2)
    assert central["forward_flops"] == 2 * 32 * (64 * 3 + 3 * 10)
    assert (central["order"], central["step_field"], central["exactness"]) == (2, "step", "order 2 in step")
    assert (
        central["declared_evaluations"] == found["central_difference"]["evaluations"].value == 2 * parameters
    )
    assert (es["samples_field"], es["samples"], es["black_box"]) == ("pairs", 8, True)
    assert es["predicted_cosine"] == pytest.approx(math.sqrt(8 / (8 + parameters + 1)))
    assert es["target"] == "smoothed gradient (gaussian, sigma=0.01)"
    skipped = found["autograd"]["case"]
    assert (skipped.status, skipped.reason) == ("skipped", "it runs on torch, not on the numpy backend")
    assert skipped.detail["reads"] == ["loss", "torch graph"]


def test_a_reference_that_cannot_tell_its_gradient_from_zero_has_no_relative_uncertainty() -> None:
    flat = Reference({"x": np.zeros(2)}, {"x": 1e-20}, "closed form", frozenset())
    session = Session(gradmark.get_problem("quadratic", size=2), "cost", {}, emit=lambda records: None)
    candidate = Candidate(0, gradmark.get_method("backprop"), {"method": "backprop"}, ("error",))
    found = profile({"x": np.zeros(2)}, flat, "float64")
    error = next(one for one in error_records(session, candidate, [found], flat) if one.quantity == "error")
    assert error.detail["uncertainty"] == math.inf
    assert from_line(to_line(error)).detail["uncertainty"] == "inf"


def test_the_error_of_a_random_method_stands_beside_what_its_claim_predicts_here(run: Run) -> None:
    calls = (
        MethodCall("activity_perturbation", {"directions": 8}),
        MethodCall("forward_gradient", {"law": "rademacher"}),
        MethodCall("backprop"),
    )
    sizes = {"widths": (64, 3, 10)}
    found = run(Comparison("cost", "mlp", sizes, calls, ("error",), repetitions=50))
    errors = {name: records["error"] for name, records in found.items()}
    parameters = 64 * 3 + 3 + 3 * 10 + 10
    assert errors["forward_gradient"].detail["variance_factor"] == parameters - 1
    problem = gradmark.get_problem("mlp", **sizes)
    exact = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    method = gradmark.get_method("activity_perturbation", directions=8)
    factor = method.claims.exactness.factor(problem, exact)
    detail = errors["activity_perturbation"].detail
    assert detail["variance_factor"] == pytest.approx(factor)
    assert detail["predicted_cosine"] == pytest.approx(math.sqrt(8 / (8 + factor)))
    # Fifty repetitions know a root of a mean square to about a tenth.
    assert errors["activity_perturbation"].value == pytest.approx(detail["predicted_error"], rel=0.3)
    assert "variance_factor" not in errors["backprop"].detail


def test_errors_say_what_they_were_measured_against(run: Run) -> None:
    wanted = Comparison("cost", "mlp", {"widths": (64, 3, 10)}, (MethodCall("backprop"),), ("error",))
    error = run(wanted)["backprop"]["error"]
    assert error.value is not None
    # Far below what the method's own rounding can be: the reference must not be what is measured.
    assert 0 <= error.detail["uncertainty"] < 2.0**-52
    assert error.detail["reference"]
    assert set(error.detail["arrays"]) == {
        "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("backprop", "exact"),
        ("mixed_precision_backprop", "exact in float16"),
        ("clipped_by_norm", "exact, of the direction (no longer than 1)"),
    ],
)
def test_a_claim_says_what_it_is_exact_in_and_of(name: str, said: str) -> None:
    """A page would otherwise suspect a method of fewer digits, or of another length, than it claims."""
    problem = gradmark.get_problem("mlp", backend="torch", dtype="float32")
    assert case_detail.of_method(gradmark.get_method(name), problem)["exactness"] == said


def test_a_method_that_cannot_do_a_problem_is_skipped_though_it_cannot_say_what_that_would_cost() -> None:
    """Methods of nodes count them for their claim, and a plain function has none to count."""
    problem = gradmark.get_problem("quadratic", size=4)
    table = gradmark.compare(problem, ["node_tangent", "divided_difference"], quantities=["error", "work"])
    assert set(table["status"]) == {"skipped"}
    assert all("no layers" in reason or "no nodes" in reason for reason in table["reason"])
