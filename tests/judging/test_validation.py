"""Whether `gradmark.validate` reaches the verdict that a method deserves, and says what it rests on."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import installed
from gradmark.claims import Exact
from gradmark.judging import validation
from gradmark.judging.clock import seconds_for
from gradmark.judging.docket import brought_to, fewer, trials_of
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from tests.judging.fakes import Call, Fake, fake, moved, right, with_claims
from tests.methods.cases import APART

NETWORK = "mlp:data=synthetic,widths=4,5,3,batch=6"
DIFFERENCES = '''
import gradmark, numpy as np

@gradmark.gradient_method(family="finite-difference", order=2, evaluations=lambda size: 2 * size)
def mine(problem, parameters, seed, step=1e-5):
    """Central differences of a function of x."""
    x, rows = parameters["x"], np.eye(len(parameters["x"]))
    f = [problem.loss({"x": x + step * row}) - problem.loss({"x": x - step * row}) for row in rows]
    return {"x": FACTOR * np.stack(f) / (2 * step)}
'''


def validated(method: Any, problems: Any = NETWORK, **options: Any) -> ValidationReport:
    return gradmark.validate(method, problems=problems, **options)


@gradmark.gradient_method(family="reverse", exact=True, reads=("loss", "pullback"))
def short(problem: Any, parameters: Any, seed: int) -> dict[str, Any]:
    return right(problem, parameters, problem.default_draw)


@pytest.mark.parametrize(
    "method",
    ["backprop", "backprop:fast=false", gradmark.get_method("tangent"), fake(lambda g: None), short, short()],
    ids=["name", "name:key=value", "instance", "own class", "short form", "short form, built"],
)
def test_a_right_method_is_correct_however_it_is_named(method: Any) -> None:
    report = validated(method)
    assert report.verdict == "correct", report.reason
    assert report.smallest_detectable is not None and report.smallest_detectable < 1e-9
    assert report.digits is not None and report.digits > 12


def frozen(problem: Any) -> Call:
    parameters = {name: np.array(array) for name, array in problem.parameters.items()}
    return lambda _, seed, draw: right(problem, parameters, draw)


def frozen_draw(problem: Any) -> Call:
    return lambda parameters, seed, _: right(problem, parameters, problem.default_draw)


def random(problem: Any) -> Call:
    noise = np.random.default_rng(0)
    return lambda parameters, seed, draw: {
        name: array * (1 + 1e-3 * noise.normal()) for name, array in right(problem, parameters, draw).items()
    }


def writing(problem: Any) -> Call:
    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        gradient = right(problem, parameters, draw)
        parameters["layers.0.bias"] -= 1e-3 * gradient["layers.0.bias"]
        return gradient

    return function


def in_float32(problem: Any) -> Call:
    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        g = right(problem, parameters, draw)
        return {name: array.astype(np.float32).astype(np.float64) for name, array in g.items()}

    return function


def raising(problem: Any) -> Call:
    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        raise RuntimeError("no graph\nwas recorded")

    return function


WRONG = {
    "zeros": (fake(lambda g: {k: 0 * v for k, v in g.items()}), "accuracy", "it is zero"),
    "frozen": (Fake(frozen), "accuracy", "of the parameters it was prepared with"),
    "frozen draw": (Fake(frozen_draw), "accuracy", "of the data it was prepared with"),
    "scaled": (fake(lambda g: {k: (1 + 1e-10) * v for k, v in g.items()}), "accuracy", "gradient times 1"),
    "one coordinate": (fake(lambda g: moved(g, "layers.2.weight", (1, 2), 1e-4)), "accuracy", "[1, 2]"),
    "writes": (Fake(writing), "contract.unchanged", "changes the parameters it is given"),
    "random": (Fake(random), "contract.repeatable", "differ"),
    "float32": (Fake(in_float32), "accuracy", "float32-class"),
    "names": (fake(lambda g: {k.upper(): v for k, v in g.items()}), "contract.names", "lacks"),
    "shapes": (fake(lambda g: {k: v.ravel() for k, v in g.items()}), "contract.shapes", "shape"),
    "dtype": (fake(lambda g: {k: v.astype("f4") for k, v in g.items()}), "contract.dtype", "float32"),
    "raises": (Fake(raising), "contract.call", "RuntimeError: no graph was recorded"),
    "nan": (fake(lambda g: {k: np.nan * v for k, v in g.items()}), "contract.finite", "not finite"),
    "work": (fake(lambda g: None, claims=with_claims(work=lambda p: gradmark_work(3))), "contract.work", "3"),
}  # fmt: skip


def gradmark_work(forward: float) -> Any:
    from gradmark.work import Work

    return Work(forward=forward, pullback=1)


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_method_is_wrong_for_the_right_reason(fault: str) -> None:
    method, check, words = WRONG[fault]
    report = validated(method)
    assert report.verdict == "wrong"
    found = next(finding for finding in report.deciding if finding.check == check)
    assert words in found.reason
    assert found.where.startswith("mlp(")


def test_a_method_is_named_by_its_file(tmp_path: Path) -> None:
    for factor, verdict in ((1.0, "correct"), (1.01, "wrong")):
        path = tmp_path / f"mine_{verdict}.py"
        path.write_text(DIFFERENCES.replace("FACTOR", str(factor)), encoding="utf-8")
        report = validated(f"{path}:mine:step=1e-4", "rosenbrock:size=5")
        assert report.verdict == verdict, report.reason
        assert report.hyper == {"step": 1e-4}


def test_problems_are_names_problems_or_trials() -> None:
    problems = [
        NETWORK,
        gradmark.get_problem("logistic_regression", batch=16),
        Trial(
            "mlp", {"widths": (64, 2, 10), "batch": 4}, frozenset({"contract", "accuracy"}), dtype="float32"
        ),
    ]
    report = validated("backprop", problems)
    assert report.verdict == "correct", report.reason
    names = {finding.where.split("(")[0] for finding in report.findings if finding.where}
    assert names == {"mlp", "logistic_regression"}
    assert {finding.dtype for finding in report.findings if finding.check == "accuracy"} == {
        "float64",
        "float32",
    }


def test_a_problem_that_a_method_does_not_support_is_skipped_with_its_reason() -> None:
    report = validated("backprop", [NETWORK, "quadratic:size=4"])
    skipped = [finding for finding in report.findings if finding.check == "contract.supports"]
    assert [finding.status for finding in skipped] == ["skipped"]
    assert "has no layers" in skipped[0].reason
    assert report.verdict == "correct"


def test_without_a_problem_that_is_left_the_verdict_is_undecided_for_one_reason() -> None:
    report = validated("backprop", "quadratic:size=4")
    assert report.verdict == "undecided"
    assert len(report.deciding) == 1 and "has no layers" in report.reason


def test_what_supports_raises_is_a_fault_of_the_method() -> None:
    class Broken(Fake):
        def supports(self, problem: Any, want: str = "gradient") -> str | None:
            raise KeyError("layers")

    report = validated(Broken(lambda problem: lambda *_: {}))
    assert report.verdict == "wrong" and "KeyError" in report.reason


def test_the_short_profile_shows_numpy_alone_every_kind_of_loss_in_both_classes_and_a_square_matrix() -> None:
    """Short forms run on NumPy alone, unless they say more."""
    from gradmark.judging.docket import trials_of

    alone = [trial.build() for trial in trials_of(None, "ci", ["accuracy"]) if trial.backend == "numpy"]
    layers = [(p.arrays.dtype, each.layer) for p in alone for each in p.layers or ()]
    assert {dtype for dtype, _ in layers} == {"float64", "float32"}
    assert {getattr(layer, "name", "affine") for _, layer in layers} == {"affine", "tanh", "relu", "gelu"}
    assert {type(p.criterion).__name__ for p in alone if p.layers} == {"CrossEntropy", "MeanSquaredError"}
    assert any(array.shape == (6, 6) for p in alone for array in p.parameters.values())


def slow(seconds: float) -> Fake:
    def bind(problem: Any) -> Call:
        def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
            time.sleep(seconds)
            return right(problem, parameters, draw)

        return function

    return Fake(bind)


def test_when_the_budget_is_over_what_was_left_out_is_said_and_nothing_found_is_lost() -> None:
    report = validated(slow(0.05), budget=0.4)
    assert report.verdict == "undecided"
    assert report.seconds < 2
    assert any(finding.status == "passed" for finding in report.findings)
    assert any("budget" in finding.reason for finding in report.deciding)


def test_a_fault_found_before_the_time_ran_out_stays_a_fault() -> None:
    def bind(problem: Any) -> Call:
        wait = slow(0.05).bind(problem)
        return lambda *arguments: {k.upper(): v for k, v in wait(*arguments).items()}

    assert validated(Fake(bind), [NETWORK, NETWORK, NETWORK], budget=0.1).verdict == "wrong"


def test_an_error_of_the_judge_is_not_blamed_on_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradmark.judging.stages import accuracy

    def broken(hearings: Sequence[Any]) -> Any:
        raise IndexError("out of range")
        yield

    monkeypatch.setattr(accuracy, "examine", broken)
    report = validated("backprop")
    assert report.verdict == "undecided"
    assert "says nothing about the method" in report.reason and "IndexError" in report.reason


def test_expected_failures_are_strict() -> None:
    def scaled(g: Any) -> Any:
        return {name: 1.001 * array for name, array in g.items()}

    why = {"accuracy": "a factor is left out on purpose"}
    problems = [Trial("mlp", {"widths": (64, 2, 10)}, frozenset({"contract", "accuracy"}))]
    assert validated(fake(scaled), problems, expected_failures=why).verdict == "correct"
    report = validated(fake(lambda g: None), problems, expected_failures=why)
    assert report.verdict == "undecided" and "take it out of the expected" in report.reason


def test_findings_are_told_as_they_are_made_in_the_order_of_the_stages() -> None:
    told: list[Finding] = []
    report = validated("backprop", on_finding=told.append)
    assert tuple(told) == report.findings
    order = [validation.STAGES.index(finding.check.split(".")[0]) for finding in told]
    assert order == sorted(order)


def test_time_that_a_stage_saves_goes_to_the_later_ones() -> None:
    from gradmark.judging.clock import Clock

    clock = Clock(100.0)
    with clock.lent(0.25):
        assert clock.left() == pytest.approx(25, abs=0.1)
    assert clock.left() == pytest.approx(100, abs=0.1)
    with Clock().lent(0.1):
        assert Clock().left() == float("inf")


def test_the_record_says_what_is_needed_to_repeat_it_and_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    report = validated("central_difference:step=1e-5", "quadratic:size=3", seed=4)
    record = json.loads(json.dumps(dict(report.record)))
    assert (record["seed"], record["threads"], record["device"]) == (4, 1, ["cpu"])
    assert record["variables"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert {"numpy", "scipy"} <= set(record["versions"])
    assert {"commit", "python", "false_alarm", "profile", "problems"} <= set(record)
    assert "host" not in record
    assert report.hyper["step"] == 1e-5
    assert report.claims["exactness"] == "order 2 in step" and report.claims["reads"] == "loss"


def test_the_same_validation_finds_the_same() -> None:
    one, other = (validated("central_difference", "rosenbrock:size=4") for _ in range(2))
    assert [(f.check, f.status, f.digits) for f in one.findings] == [
        (f.check, f.status, f.digits) for f in other.findings
    ]


def test_every_stage_is_there_and_says_which_claims_it_is_for() -> None:
    stages = validation.applying(with_claims(exactness=Exact()))
    assert {"contract", "accuracy", "controls"} <= set(stages)
    assert not {"order", "sequential"} & set(stages)


def test_a_method_that_compiles_is_heard_on_fewer_problems_in_the_short_profile_and_says_so() -> None:
    trials = trials_of(None, "ci", ["contract", "cost"])
    kept, left_out = fewer(trials)
    assert {(each.backend, each.dtype) for each in kept} == {(each.backend, each.dtype) for each in trials}
    assert [each for each in kept if "cost" in each.roles] == [e for e in trials if "cost" in e.roles]
    assert len(kept) + len(left_out) == len(trials) and len(left_out) > 0
    assert all(each.status == "skipped" and "it compiles" in each.reason for each in left_out)


@pytest.mark.parametrize("profile", ["ci", "full"])
def test_the_laws_of_a_random_method_are_judged_on_the_backend_that_it_has(profile: str) -> None:
    laws = {"identification", "noise", "bias", "sequential", "efficiency"}
    trials = trials_of(None, profile, ["contract", "controls", *laws])
    assert brought_to(trials, {"numpy", "torch", "jax"}) == trials
    for backend in ("torch", "jax"):
        heard_there = brought_to(trials, {backend})
        on_it = [trial.roles for trial in heard_there if trial.backend == backend]
        assert all(any(law in roles for roles in on_it) for law in laws)
        assert len(heard_there) == len(trials)
        again = [trial for trial, before in zip(heard_there, trials, strict=True) if trial != before]
        assert all(sum(law in trial.roles for trial in again) <= 1 for law in laws)


def test_a_method_has_the_time_that_its_claims_need() -> None:
    plain, compiling = with_claims(), with_claims(compiles=True)
    assert seconds_for(plain) < seconds_for(compiling)
    assert gradmark.get_method("compiled").claims.compiles


# It compiles a program for each shape: half a minute. `make judge` hears it.
SLOW = {"evosax_open_es"}


@pytest.mark.parametrize("name", sorted(set(gradmark.list_methods()) - SLOW))
def test_every_built_in_method_is_correct_in_the_short_profile(name: str) -> None:
    if not installed(APART.get(name, "numpy")):
        pytest.skip(f"{APART[name]} is not installed here")
    report = gradmark.validate(name, profile="ci")
    assert report.verdict == "correct", report.reason
