"""Whether the contract stage names the part that a faulty method breaks, and leaves a right one alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Biased, Estimated
from gradmark.judging.stages import contract
from gradmark.work import Work
from tests.judging.fakes import Call, Fake, fake, heard_on, right, with_claims

PROBLEM = "mlp:data=synthetic,widths=4,5,3,batch=6"
BLACK_BOX = with_claims(reads=frozenset({"loss"}))
RANDOM = with_claims(exactness=Biased("it is a fake"))


def failed(method: Any, problem: Any = PROBLEM) -> dict[str, str]:
    findings = list(contract.examine([heard_on(method, problem)]))
    assert findings
    return {finding.check: finding.reason for finding in findings if finding.status == "failed"}


def bound(call: Any) -> Fake:
    """``call(problem, parameters, seed, draw)`` without memory of its preparation."""
    return Fake(lambda problem: lambda *arguments: call(problem, *arguments))


def test_a_right_method_breaks_nothing() -> None:
    assert failed(fake(lambda g: None)) == {}


def test_every_part_has_a_finding_of_its_own() -> None:
    findings = list(contract.examine([heard_on(fake(lambda g: None), PROBLEM)]))
    parts = (
        "unchanged names shapes dtype device finite repeatable seed rebound work reads value draw "
        "batch_of_one strided scales"
    )
    assert [finding.check for finding in findings] == [f"contract.{part}" for part in parts.split()]


def frozen_noise(problem: Any) -> Call:
    noise = np.random.default_rng()
    return lambda parameters, seed, draw: {
        name: array + noise.normal() for name, array in right(problem, parameters, draw).items()
    }


def seeded_noise(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    noise = 1 + 1e-13 * np.random.default_rng(seed).normal()
    return {name: noise * array for name, array in right(problem, parameters, draw).items()}


def own_draw(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    """Always the same rows, whatever it is given."""
    return right(problem, parameters, problem.draw(1))


def own_point(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    """Random, about the point that it was prepared at."""
    return seeded_noise(problem, problem.parameters, seed, draw)


def far_from_start(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    """Half too large wherever the parameters are not those it was prepared with."""
    same = all(np.array_equal(parameters[name], problem.parameters[name]) for name in parameters)
    found = seeded_noise(problem, parameters, seed, draw)
    return {name: (1.0 if same else 1.5) * array for name, array in found.items()}


@dataclass(frozen=True)
class Estimating(Fake):
    """It says that it is off by `error`."""

    error: float = 0.0

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        prepared = super().prepare(problem, want)
        return lambda *given, **named: replace(prepared(*given, **named), error=self.error)


@pytest.mark.parametrize(("error", "broken"), [(1e-3, set()), (1e-6, {"contract.strided"})])
def test_answers_may_be_as_far_apart_as_they_say_that_they_are_off(error: float, broken: set[str]) -> None:
    def call(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        off = 0.0 if parameters["layers.0.weight"].flags.c_contiguous else 1e-4
        return {name: (1 + off) * array for name, array in right(problem, parameters, draw).items()}

    claims = with_claims(exactness=Estimated(), work=None)
    assert set(failed(Estimating(bound(call).bind, claims=claims, error=error))) == broken


def writing(what: str) -> Any:
    def call(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        gradient = right(problem, parameters, draw)
        target = parameters["layers.0.weight"] if what == "parameters" else draw.arrays["inputs"]
        target[0, 0] += 2.0**-40
        return gradient

    return call


def warm_started(problem: Any) -> Call:
    """Half of the answer is the one before, where that was at another point."""
    last: list[Any] = []

    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        g = right(problem, parameters, draw)
        here = parameters["layers.0.weight"].tobytes()
        if last and last[0] != here:
            g, own = {name: (array + last[1][name]) / 2 for name, array in g.items()}, g
        else:
            own = g
        last[:] = [here, own]
        return g

    return function


def stale_buffer(problem: Any) -> Call:
    """It returns the buffer before it is filled."""
    buffer: dict[str, Any] = {}

    def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
        before = dict(buffer)
        buffer.update(right(problem, parameters, draw))
        return before or dict(buffer)

    return function


def twice(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    right(problem, parameters, draw)
    return right(problem, parameters, draw)


def in_memory_order(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    """Reads the numbers as they lie in memory, strides unseen."""
    lying = {
        name: (array if array.base is None else array.base.ravel()[: array.size].reshape(array.shape))
        for name, array in parameters.items()
    }
    return right(problem, lying, draw)


def squaring(problem: Any, parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
    """Squares that overflow in float32 before their root is taken."""
    g = right(problem, parameters, draw)
    return {name: array * np.exp(np.float32(40) * np.max(np.abs(parameters["layers.0.weight"]))) * 0 + array
            for name, array in g.items()}  # fmt: skip


def fixed_rows(problem: Any) -> Call:
    """Divides by the rows it was prepared with."""
    rows = problem.default_draw.count
    return lambda parameters, seed, draw: {
        name: array * draw.count / rows for name, array in right(problem, parameters, draw).items()
    }


FAULTS = {
    "names": (fake(lambda g: {"layers.0.weights" if k == "layers.0.weight" else k: v for k, v in g.items()}),
              "lacks `layers.0.weight`"),
    "missing": (fake(lambda g: {"layers.0.bias": g["layers.0.bias"]}), "contract.names"),
    "shapes": (fake(lambda g: {k: v.T for k, v in g.items()}), "has the shape"),
    "dtype": (fake(lambda g: {k: v.astype(np.float32) for k, v in g.items()}), "has the dtype float32"),
    "finite": (fake(lambda g: g["layers.2.bias"].__setitem__(1, np.nan)), "`layers.2.bias`[1] is nan"),
    "unchanged": (bound(writing("parameters")), "the parameters it is given (`layers.0.weight`)"),
    "unchanged draw": (bound(writing("draw")), "the draw it is given (`inputs`)"),
    "repeatable": (Fake(frozen_noise), "two calls with the same arguments and seed differ"),
    "repeatable state": (Fake(warm_started), "hidden state"),
    "repeatable buffer": (Fake(stale_buffer), "hidden state"),
    "seed": (bound(seeded_noise), "does not claim to be random"),
    "seed claimed": (fake(lambda g: None, claims=RANDOM), "4 seeds give the same answer"),
    "work": (bound(twice), "1 evaluations and 1 pullbacks, and 2 evaluations and 2 pullbacks were counted"),
    "work said": (fake(lambda g: None, said=lambda work: work.times(2)), "its estimate says"),
    "value": (fake(lambda g: None, value=lambda problem: np.float64(7.0)), "returns 7"),
    "rebound": (Fake(lambda p: lambda *a: own_point(p, *a), claims=RANDOM), "uses parameters or a draw"),
    "rebound scale": (Fake(lambda p: lambda *a: far_from_start(p, *a), claims=RANDOM), "it was prepared"),
    "work declared": (
        fake(lambda g: None, said=lambda work: Work(forward=0.5, pullback=1, declared=True)),
        "it declares 0.5 evaluations and 1 pullbacks, and 1 evaluations and 1 pullbacks were counted",
    ),
    "reads": (fake(lambda g: None, claims=BLACK_BOX), "it says that it reads loss, and 1 pullback passes"),
    "draw": (bound(own_draw), "it does not use the draw it is given"),
    "batch_of_one": (Fake(fixed_rows), "for a draw of one row"),
    "strided": (bound(in_memory_order), "not contiguous"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_part_is_named_and_said_in_words(fault: str) -> None:
    method, words = FAULTS[fault]
    found = failed(method)
    part = {"missing": "names"}.get(fault, fault.split()[0])
    assert f"contract.{part}" in found
    assert words in found[f"contract.{part}"] or words == f"contract.{part}"


def test_a_gradient_that_overflows_where_the_reference_does_not_is_found_at_huge_parameters() -> None:
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(4, 5, 3), batch=6, dtype="float32")
    with np.errstate(all="ignore"):
        found = failed(bound(squaring), problem)
    assert list(found) == ["contract.scales"]
    assert "huge" in found["contract.scales"]


def test_the_device_and_library_of_the_parameters_are_kept() -> None:
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(4, 5, 3), batch=6, backend="torch")
    found = failed(fake(lambda g: {name: array.numpy() for name, array in g.items()}), problem)
    assert "numpy" in found["contract.device"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError("no step"), "ZeroDivisionError: no step"),
        (gradmark.UsageError("not here."), "declines"),
    ],
)
def test_what_a_method_raises_is_a_failed_finding_with_its_words(error: Exception, words: str) -> None:
    def raising(*arguments: Any) -> Any:
        raise error

    findings = list(contract.examine([heard_on(bound(raising), PROBLEM)]))
    assert [(finding.check, finding.status) for finding in findings] == [("contract.call", "failed")]
    assert words in findings[0].reason
    assert "mlp" in findings[0].where


def test_a_result_that_is_no_dict_is_said_in_words() -> None:
    found = failed(bound(lambda problem, parameters, seed, draw: [1.0]))
    assert "its gradient is a list, not a dict with an array for each name" in found["contract.call"]


def test_without_time_the_rest_is_undecided() -> None:
    from gradmark.judging.clock import Clock

    findings = list(contract.examine([heard_on(fake(lambda g: None), PROBLEM, clock=Clock(1e-9))]))
    assert [finding.status for finding in findings] == ["undecided"]


def test_what_a_short_form_returns_wrongly_is_said_without_calling_it_a_refusal() -> None:
    @gradmark.gradient_method(family="reverse", exact=True)
    def nothing(problem: Any, parameters: Any, seed: int) -> Any:
        return None

    reason = failed(nothing())["contract.call"]
    assert reason == "nothing returned a NoneType: return a dict with an array for each name."
