"""The order of a truncated method: right ones are measured, wrong ones named; a loss is no method's fault."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Truncated
from gradmark.judging.hearing import Hearing
from gradmark.judging.orders.control import stencil
from gradmark.judging.orders.fit import fit_order
from gradmark.judging.orders.question import compare_order
from gradmark.judging.stages import order
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.method import Estimate

NETWORK = ("mlp", {"widths": (5, 4, 3), "data": "synthetic", "batch": 4})
FUNCTION = ("log_sum_exp", {"size": 10})
CUBIC = ("rosenbrock", {"size": 6})
QUADRATIC = ("quadratic", {"size": 6})
CENTRAL, FORWARD = (gradmark.get_method(f"{side}_difference") for side in ("central", "forward"))


def findings(method: Any, *problems: Any, dtype: str = "float64", backend: str = "numpy") -> list[Finding]:
    hearings = []
    for name, sizes in problems:
        trial = Trial(name, sizes, dtype=dtype, backend=backend)
        hearings.append(Hearing("method", method, trial, trial.build()))
    return list(order.examine(hearings))


@gradmark.gradient_method(family="finite-difference", order=4, evaluations=lambda size: 4 * size)
def fourth_order(problem: Any, parameters: Any, seed: int, step: float = 1e-3) -> Any:
    """(8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h, coordinate by coordinate."""
    gradient = {}
    for name, x in parameters.items():

        def at(i: int, k: int, name: str = name, x: Any = x) -> Any:
            moved = x.copy()
            moved.flat[i] += k * step
            return problem.loss({**parameters, name: moved})

        slopes = [(8 * (at(i, 1) - at(i, -1)) - (at(i, 2) - at(i, -2))) / (12 * step) for i in range(x.size)]
        gradient[name] = np.array(slopes, x.dtype).reshape(x.shape)
    return gradient


def nothing(gradient: Any, *_: Any) -> Any:
    return gradient


@dataclass(frozen=True)
class Impostor:
    """Central differences with something `wrong`, and another `order` declared."""

    wrong: Any = nothing
    order: int = 2
    step: float | None = None
    inner: Any = CENTRAL

    @property
    def claims(self) -> Any:
        return replace(self.inner.claims, exactness=Truncated(self.order))

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        prepared = replace(self.inner, step=self.step).prepare(problem)

        def gradient(parameters: Any, seed: int = 0, *, draw: Any = None, **_: Any) -> Estimate:
            estimate = prepared(parameters, seed, draw=draw)
            found = self.wrong(estimate.gradient, problem, parameters, self.step)
            return Estimate(found, None, estimate.work)

        return gradient


def times(factor: float) -> Any:
    return lambda gradient, *_: {name: factor * array for name, array in gradient.items()}


def last_array_by_forward_difference(gradient: Any, problem: Any, parameters: Any, step: float) -> Any:
    name = list(gradient)[-1]
    other = replace(FORWARD, step=step).prepare(problem)(parameters).gradient
    return {**gradient, name: other[name]}


@pytest.mark.parametrize("declared", [1, 2, 4])
def test_an_error_that_falls_with_a_power_of_the_step_has_that_order(declared: int) -> None:
    h = 0.5 * 2.0 ** -np.arange(20)
    found = fit_order(h, 0.3 * h**declared * (1 + 0.2 * h) + 1e-13 / h * 0.1, 1e-13 / h)
    assert found is not None and found.steps[-1] > 10 * found.steps[0]
    assert found.value == pytest.approx(declared, abs=0.05)
    assert found.low <= declared <= found.high
    assert compare_order(found, declared) == "agrees"


def test_noise_alone_has_no_order() -> None:
    h = 2.0 ** -np.arange(20.0)
    assert fit_order(h, 1e-6 / h, 1e-6 / h) is None


def test_a_plateau_below_a_falling_error_is_what_counts() -> None:
    h = 2.0 ** -np.arange(1.0, 25)
    found = fit_order(h, np.hypot(h**2, 1e-5), 1e-14 / h)
    assert found is not None and abs(found.value) < 0.1
    assert compare_order(found, 2) == "lower"


@pytest.mark.parametrize("even_or_odd", [1, 2, 3, 4, 6])
def test_the_control_has_the_order_it_stands_for(even_or_odd: int) -> None:
    offsets, weights = stencil(even_or_odd)
    powers = [float(np.sum(weights * offsets**power)) for power in range(even_or_odd + 2)]
    assert powers[: even_or_odd + 1] == pytest.approx([0, 1] + [0] * (even_or_odd - 1), abs=1e-9)
    assert abs(powers[-1]) > 0.1


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (FORWARD, NETWORK),
        (CENTRAL, NETWORK),
        (fourth_order(), FUNCTION),
        (FORWARD, QUADRATIC),
        (CENTRAL, CUBIC),
    ],
)
def test_honest_methods_keep_their_order_over_two_decades(method: Any, problem: Any) -> None:
    (finding,) = findings(method, problem)
    assert finding.status == "passed", finding.reason
    assert "the error is least" in finding.reason
    assert finding.smallest_detectable is not None and finding.smallest_detectable < 1e-5


@pytest.mark.parametrize(
    ("backend", "dtype"), [("torch", "float64"), ("numpy", "float32"), ("torch", "float32")]
)
@pytest.mark.parametrize("method", [FORWARD, CENTRAL])
def test_other_backends_and_float32_too(method: Any, backend: str, dtype: str) -> None:
    (finding,) = findings(method, CUBIC, backend=backend, dtype=dtype)
    assert finding.status == "passed", finding.reason


@pytest.mark.parametrize("problem", [NETWORK, FUNCTION, CUBIC])
@pytest.mark.parametrize(
    ("impostor", "said"),
    [
        (Impostor(times(1.01)), "does not fall"),
        (Impostor(times(1 + 1e-6)), "does not fall"),
        (Impostor(order=4), "falls with order 2.0"),
        (Impostor(order=1), "falls with order 2.0"),
        (Impostor(inner=FORWARD), "falls with order 1.0"),
        (Impostor(last_array_by_forward_difference), "falls with order 1.0"),
    ],
    ids=["1 %", "1e-6", "too high", "too low", "one-sided", "one array"],
)
def test_another_order_than_declared_is_a_failure(impostor: Impostor, said: str, problem: Any) -> None:
    (finding,) = findings(impostor, problem)
    assert finding.status == "failed"
    assert said in finding.reason
    assert finding.evidence is not None and finding.evidence.expected == impostor.order


def test_the_array_of_the_wrong_order_is_named() -> None:
    (finding,) = findings(Impostor(last_array_by_forward_difference), NETWORK)
    assert finding.evidence is not None and finding.evidence.array == "layers.2.bias"


def test_a_fault_of_three_times_what_is_called_detectable_is_detected() -> None:
    (honest,) = findings(CENTRAL, NETWORK)
    assert honest.smallest_detectable is not None
    (finding,) = findings(Impostor(times(1 + 3 * honest.smallest_detectable)), NETWORK)
    assert finding.status == "failed"


def test_a_loss_without_third_derivative_neither_accuses_nor_acquits() -> None:
    one, overall = findings(CENTRAL, QUADRATIC)
    assert (one.status, overall.status) == ("skipped", "undecided")
    assert findings(Impostor(order=4), QUADRATIC)[-1].status == "undecided"


def test_one_problem_that_shows_the_order_is_enough() -> None:
    statuses = [finding.status for finding in findings(CENTRAL, QUADRATIC, NETWORK)]
    assert statuses == ["skipped", "passed"]


def test_a_second_derivative_that_vanishes_at_the_point_is_no_fault_of_a_forward_difference() -> None:
    """sin at 0 is odd: the error of its one-sided difference falls with the square there."""
    problem = gradmark.from_function(lambda x: np.sum(np.sin(x)), np.zeros(3))
    finding = next(order.examine([Hearing("method", FORWARD, Trial("sin", ready=problem), problem)]))
    assert finding.status != "failed", finding.reason


def test_kinks_have_no_order() -> None:
    (one, _) = findings(CENTRAL, ("mlp", {**NETWORK[1], "activation": "relu"}))
    assert one.status == "skipped" and "kinked" in one.reason


def test_an_order_in_a_hyper_parameter_that_is_not_there_is_a_failure() -> None:
    @dataclass(frozen=True)
    class Stepless(Impostor):
        @property
        def claims(self) -> Any:
            return replace(CENTRAL.claims, exactness=Truncated(2, "width"))

    (finding,) = findings(Stepless(), NETWORK)
    assert finding.status == "failed" and "order 2 in width" in finding.reason


def test_a_bounded_domain_is_not_left() -> None:
    def entropy(x: Any) -> Any:
        assert np.all(x > 0)
        return np.sum(x * np.log(x))

    problem = gradmark.from_function(entropy, np.array([0.1, 0.5, 0.9]), bounds=(0.0, 1.0))
    finding = next(order.examine([Hearing("method", CENTRAL, Trial("entropy", ready=problem), problem)]))
    assert finding.status == "passed", finding.reason
