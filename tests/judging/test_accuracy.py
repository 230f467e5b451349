"""Whether the accuracy stage finds every fault above what it states, and says which kind it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Biased, Claims, Truncated, Unbiased
from gradmark.judging.comparing.bounds import bound_at
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import sites
from gradmark.judging.repeating import line
from gradmark.judging.stages import accuracy
from gradmark.judging.verdict import Finding
from gradmark.work import Work
from tests.judging.fakes import Call, Fake, fake, heard_on, moved, right, with_claims

SMALL: dict[str, Any] = {"data": "synthetic", "widths": (4, 5, 3), "batch": 6}
NETWORK = gradmark.get_problem("mlp", **SMALL)
FLOAT32 = gradmark.get_problem("mlp", **SMALL, dtype="float32")
RELU = gradmark.get_problem("mlp", **SMALL, activation="relu", loss="mse")


def judged(method: Any, problem: Any = NETWORK) -> list[Finding]:
    found = list(accuracy.examine([heard_on(method, problem)]))
    assert len(found) == len(sites(problem))
    return found


def statuses(found: Sequence[Finding]) -> set[str]:
    return {finding.status for finding in found}


def failures(method: Any, problem: Any = NETWORK) -> str:
    """The reasons of all failed findings."""
    return " | ".join(finding.reason for finding in judged(method, problem) if finding.status == "failed")


@pytest.mark.parametrize("name", ["backprop", "tangent", "complex_step"])
@pytest.mark.parametrize("problem", [NETWORK, FLOAT32, RELU], ids=["float64", "float32", "relu"])
def test_exact_methods_lie_well_inside_the_bound(name: str, problem: Any) -> None:
    found = judged(gradmark.get_method(name), problem)
    assert statuses(found) == {"passed"}
    for finding in found:
        assert finding.evidence is not None and finding.evidence.error is not None
        assert finding.smallest_detectable is not None
        assert finding.evidence.error < finding.smallest_detectable / 4


@pytest.mark.parametrize("name", ["central_difference", "forward_difference"])
def test_differences_lie_inside_what_their_order_allows(name: str) -> None:
    for problem in (NETWORK, RELU, gradmark.get_problem("rosenbrock", size=8)):
        assert statuses(judged(gradmark.get_method(name), problem)) <= {"passed", "skipped"}


@pytest.mark.parametrize("step", [1e-2, 1e-4, 1e-6])
def test_a_step_that_a_person_chose_is_judged_as_that_step(step: float) -> None:
    found = judged(gradmark.get_method("central_difference", step=step))
    assert "failed" not in statuses(found)
    assert found[0].status == "passed"


def scaled(name: str, factor: float) -> Fake:
    """A built-in method, times a factor."""
    method = gradmark.get_method(name)

    def bind(problem: Any) -> Call:
        prepared = method.prepare(problem)

        def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
            gradient = prepared(parameters, seed, draw=draw).gradient
            return {name: factor * array for name, array in gradient.items()}

        return function

    return Fake(bind, claims=method.claims)


@gradmark.gradient_method(family="finite-difference", order=4)
def absolute_step(problem: Any, parameters: Any, seed: int, step: Any = None) -> dict[str, Any]:
    """Whatever the size of the parameters: it steps across kinks where they are small."""
    x, unravel = gradmark.ravel(parameters)
    h = step or np.finfo(x.dtype).eps ** (1 / 5)

    def difference(h: float) -> Any:
        moves = h * np.eye(x.size)
        return problem.loss(unravel(x + moves)) - problem.loss(unravel(x - moves))

    return unravel((8 * difference(h) - difference(2 * h)) / (12 * h))


def test_a_default_step_may_be_absolute() -> None:
    sizes: dict[str, Any] = {"data": "synthetic", "widths": (5, 6, 4, 3), "batch": 8}
    relu = gradmark.get_problem("mlp", **sizes, activation="relu", loss="mse")
    assert failures(absolute_step(), relu) == ""


@gradmark.gradient_method(family="finite-difference", order=2)
def one_sided(problem: Any, parameters: Any, seed: int, step: Any = None) -> dict[str, Any]:
    """Short beside large parameters, whose rounding it magnifies."""
    x, unravel = gradmark.ravel(parameters)
    h = step or np.finfo(x.dtype).eps ** (1 / 3)
    near, far = (problem.loss(unravel(x + k * h * np.eye(x.size))) for k in (1, 2))
    return unravel((4 * near - far - 3 * problem.loss(parameters)) / (2 * h))


def test_a_default_step_may_be_short_beside_large_parameters() -> None:
    assert failures(one_sided(), gradmark.get_problem("quadratic", size=30)) == ""


def test_a_relative_fault_of_1e10_is_seen_in_float64() -> None:
    found = judged(scaled("backprop", 1 + 1e-10))
    assert statuses(found) == {"failed"}
    assert "it is the gradient times 1" in found[0].reason


def test_a_fault_of_one_percent_is_seen_in_differences() -> None:
    for name in ("central_difference", "forward_difference"):
        assert judged(scaled(name, 1.01))[0].status == "failed"


@pytest.mark.parametrize("name", ["backprop", "central_difference"])
def test_every_fault_above_what_is_stated_is_seen(name: str) -> None:
    for finding, site in zip(judged(gradmark.get_method(name)), sites(NETWORK), strict=True):
        assert finding.smallest_detectable is not None
        wrong = scaled(name, 1 + finding.smallest_detectable)
        assert accuracy.judge_at(heard_on(wrong, NETWORK), site).status == "failed"


SECOND_ORDER = with_claims(exactness=Truncated(2, "step"), work=None)


@dataclass(frozen=True)
class Stating:
    """Differences that are `factor` times the gradient as built, or at all points, and state `error`."""

    factor: float
    error: float
    everywhere: bool = False
    step: float | None = None
    claims: Claims = SECOND_ORDER

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        def gradient(parameters: Any, seed: int = 0, *, draw: Any = None, **given: Any) -> Any:
            there = any(not np.array_equal(a, problem.parameters[name]) for name, a in parameters.items())
            factor = 1.0 if there and not self.everywhere else self.factor
            found = right(problem, parameters, draw or problem.default_draw)
            return gradmark.Estimate({n: factor * a for n, a in found.items()}, None, Work(), self.error)

        return gradient


def test_a_poor_step_of_its_own_is_excused_where_a_method_says_so_and_not_at_many_points() -> None:
    here = judged(Stating(1.1, 1.0))
    assert here[0].status == "skipped" and "says 1" in here[0].reason and here[1].status == "passed"
    assert judged(Stating(1.1, 1e-6))[0].status == "failed"
    assert judged(Stating(1.1, 1.0, step=1e-3))[0].status == "failed"
    *_, last = accuracy.examine([heard_on(Stating(1.1, 1e3, everywhere=True), NETWORK)])
    assert last.status == "failed" and "though it says so" in last.reason


def test_zeros_and_a_flipped_sign_are_told() -> None:
    assert "it is zero" in failures(fake(lambda g: {k: 0 * v for k, v in g.items()}))
    assert "its sign is flipped" in failures(fake(lambda g: {k: -v for k, v in g.items()}))


def test_one_wrong_coordinate_is_found_with_its_index_and_both_numbers() -> None:
    found = judged(fake(lambda g: moved(g, "layers.0.weight", (3, 1), 1e-6)))[0]
    evidence = found.evidence
    assert found.status == "failed" and evidence is not None
    assert (evidence.array, evidence.index, evidence.point) == ("layers.0.weight", (3, 1), "as built")
    assert evidence.found is not None and evidence.expected is not None
    assert evidence.found - evidence.expected == pytest.approx(1e-6, rel=1e-6)


def test_a_small_array_is_judged_on_its_own_norm() -> None:
    """A millionth of the others, returned as zero."""

    def loss(p: Any) -> Any:
        return np.sum(p["large"] ** 2) + 1e-6 * np.sum(p["small"] ** 2)

    point = {"large": np.arange(1.0, 5.0), "small": np.arange(1.0, 4.0)}
    problem = gradmark.from_function(loss, point)

    def gradient(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        return {"large": 2 * parameters["large"], "small": 0 * parameters["small"]}

    worst = judged(Fake(lambda problem: gradient), problem)[0].evidence
    assert worst is not None and worst.array == "small"


def frozen(what: str) -> Fake:
    """Remembers what it saw when it was prepared."""

    def bind(problem: Any) -> Call:
        parameters, draw = dict(problem.parameters), problem.default_draw
        if what == "parameters":
            return lambda _, seed, given: right(problem, parameters, given)
        return lambda given, seed, _: right(problem, given, draw)

    return Fake(bind)


@pytest.mark.parametrize(
    ("what", "words"),
    [("parameters", "of the parameters it was prepared with"), ("draw", "of the data it was prepared with")],
)
def test_what_was_frozen_at_prepare_is_right_as_built_and_caught_elsewhere(what: str, words: str) -> None:
    found = judged(frozen(what))
    assert [finding.status for finding in found] == ["passed"] + ["failed"] * (len(found) - 1)
    assert all(words in finding.reason for finding in found[1:])


def in_float32(problem: Any) -> Call:
    narrow = problem.to(dtype="float32")

    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        cast = narrow.arrays.cast
        g = right(narrow, cast(parameters), draw.map(lambda array: cast({"": array})[""]))
        return {name: array.astype(np.float64) for name, array in g.items()}

    return function


def test_the_error_of_steps_is_not_taken_for_the_rounding_of_another_dtype() -> None:
    coarse = with_claims(exactness=Truncated(4, "step"))
    found = failures(fake(lambda g: {n: a * (1 + 1e-7 * np.sin(1 + a)) for n, a in g.items()}, claims=coarse))
    assert "is allowed" in found and "-class" not in found


def test_a_gradient_computed_in_float32_inside_is_told_by_its_class() -> None:
    found = judged(Fake(in_float32))
    assert statuses(found) == {"failed"}
    assert all("float32-class" in finding.reason for finding in found)


def test_a_method_that_declares_float32_is_judged_as_that() -> None:
    found = judged(Fake(in_float32, claims=with_claims(precision="float32")))
    assert statuses(found) == {"passed"}
    assert 5 < min(finding.digits for finding in found if finding.digits is not None) < 10


def test_a_gradient_that_is_not_finite_is_wrong() -> None:
    assert "it is not finite" in failures(fake(lambda g: moved(g, "layers.0.bias", 0, np.nan)))


FLOAT16 = {"data": "synthetic", "widths": (6, 4, 4, 3)}
HIDDEN = {"data": "synthetic", "inputs": 5, "outputs": 3, "depth": 3, "width": 4, "batch": 6}
HALF = [
    ("mlp", FLOAT16),
    ("transformer", {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "batch": 2}),
    ("deep_mlp", {**HIDDEN, "normalisation": "layer"}),
]


@pytest.mark.parametrize("method", ["backprop", "autograd"])
@pytest.mark.parametrize(("name", "sizes"), HALF)
def test_what_underflows_in_float16_is_no_fault(name: str, sizes: Any, method: str) -> None:
    """Of an array whose entries are a few of the smallest numbers, half may become zero."""
    problem = gradmark.get_problem(name, **sizes, backend="torch", dtype="float16")
    assert statuses(judged(gradmark.get_method(method), problem)) <= {"passed", "skipped"}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_unit_that_float16_rounds_to_the_other_side_of_its_kink_is_no_fault(seed: int) -> None:
    sizes = {"widths": (5, 6, 6, 3), "data": "synthetic", "batch": 8, "activation": "relu", "seed": seed}
    problem = gradmark.get_problem("mlp", **sizes, backend="torch", dtype="float16")
    found = judged(gradmark.get_method("autograd"), problem)
    assert statuses(found) == {"passed", "skipped"}
    assert [each.status for each in found].count("passed") >= 2
    assert "failed" in statuses(judged(fake(lambda g: {k: 1.1 * a for k, a in g.items()}), problem))


@pytest.mark.parametrize(("name", "sizes"), HALF)
def test_entries_that_float16_carries_may_not_be_zero(name: str, sizes: Any) -> None:
    """Zero below 2^-10, and a bias that is off by 200 of the smallest numbers, are faults."""
    problem = gradmark.get_problem(name, **sizes, backend="torch", dtype="float16")

    def flushed(g: dict[str, Any]) -> dict[str, Any]:
        return {key: array * (abs(array) >= 2.0**-10) for key, array in g.items()}

    def off(g: dict[str, Any]) -> dict[str, Any]:
        return {key: array + 200 * 2.0**-24 * (array != 0) for key, array in g.items()}

    assert "failed" in statuses(judged(fake(flushed), problem))
    assert "failed" in statuses(judged(fake(off), problem))


SATURATED = {"blocks": 2, "width": 4, "heads": 2, "positions": 4, "batch": 3}


def test_a_pass_back_through_saturated_units_may_round_as_it_must() -> None:
    problem = gradmark.get_problem("transformer", **SATURATED)
    assert statuses(judged(gradmark.get_method("backprop"), problem)) == {"passed"}
    assert statuses(judged(fake(lambda g: {k: a * (1 + 1e-10) for k, a in g.items()}), problem)) == {"failed"}


def test_a_method_may_decline_a_point_but_not_the_one_it_was_built_for() -> None:
    def declining(at: Any) -> Fake:
        def bind(problem: Any) -> Call:
            def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
                first = parameters["layers.0.weight"][0, 0] == problem.parameters["layers.0.weight"][0, 0]
                if bool(first) is at:
                    raise gradmark.UsageError("not at this point.")
                return right(problem, parameters, draw)

            return function

        return Fake(bind)

    assert judged(declining(True))[0].status == "failed"
    assert "failed" not in statuses(judged(declining(False)))
    assert "skipped" in statuses(judged(declining(False)))


def test_the_bound_does_not_depend_on_the_method_s_answers() -> None:
    site = sites(NETWORK)[0]
    reference = reference_at(NETWORK, site, frozenset({"loss"}))
    honest, wrong = gradmark.get_method("central_difference"), scaled("central_difference", 2.0)
    bounds = [bound_at(heard_on(method, NETWORK), site, reference).arrays for method in (honest, wrong)]
    assert bounds[0] == bounds[1]


def test_random_and_biased_methods_are_not_judged_by_it() -> None:
    assert accuracy.applies(with_claims(exactness=Unbiased("pairs", lambda size: size))) is not None
    assert accuracy.applies(with_claims(exactness=Biased("a layer is left out", random=False))) is not None


def test_the_line_of_python_repeats_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    hearing = heard_on(gradmark.get_method("backprop"), "mlp:data=synthetic,widths=4,5,3,batch=6")
    hearing = type(hearing)("backprop", hearing.method, hearing.trial, hearing.problem)
    site = sites(hearing.problem)[1]
    exec(line(hearing, site, "layers.0.weight", (2, 1)))
    expected = hearing.call(site.parameters, 0, site.draw).gradient["layers.0.weight"][2, 1]
    assert float(capsys.readouterr().out) == float(expected)
