"""Cost: counts are exact, laws of time are judged on made-up clocks, and hidden work does not stay hidden."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import installed
from gradmark.claims import Growth
from gradmark.judging.clock import Clock
from gradmark.judging.costs import counts, growth, hidden
from gradmark.judging.costs.growth import WIDE, Costs
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.stages import cost
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.method import Estimate
from gradmark.work import Work, uncounted
from problems.mlp import widths_for
from tests.methods.cases import APART, stating_its_work

SIZES = (100, 200, 400, 800, 1_600, 3_200, 6_400)
BACKPROP = gradmark.get_method("backprop")
METHODS = [n for n in gradmark.list_methods() if "gradient" in gradmark.get_method(n).claims.wants]


def findings(
    method: Any,
    sizes: tuple[int, ...] = (150, 300, 600),
    backend: str = "numpy",
    batch: int = 4,
    seconds: float = 10.0,
) -> list[Finding]:
    hearings = []
    for size in sizes:
        trial = Trial("mlp", {"widths": widths_for(size), "batch": batch}, backend=backend)
        if "unroll" in method.claims.reads:  # h^2 and a little more
            sizes_in_time = {"length": 3, "hidden": round(size**0.5), "batch": batch}
            trial = Trial("rnn", sizes_in_time, backend=backend)
        hearings.append(Hearing("method", method, trial, trial.build(), clock=Clock(seconds)))
    return list(cost.examine(hearings))


def failed(found: list[Finding]) -> set[str]:
    return {each.check for each in found if each.status == "failed"}


@dataclass(frozen=True)
class Impostor:
    """Backpropagation that does something besides, with other claims."""

    besides: Callable[[Any, Any, Any], None]
    work: Any = BACKPROP.claims.work
    growth: Growth = BACKPROP.claims.growth
    inner: Any = BACKPROP

    @property
    def claims(self) -> Any:
        return replace(self.inner.claims, work=self.work, growth=self.growth)

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        prepared = self.inner.prepare(problem)

        def gradient(parameters: Any, seed: int = 0, *, draw: Any = None, **_: Any) -> Estimate:
            self.besides(problem, parameters, draw)
            return prepared(parameters, seed, draw=draw)  # type: ignore[no-any-return]

        return gradient


def nothing(problem: Any, parameters: Any, draw: Any) -> None:
    pass


def one_more_loss(problem: Any, parameters: Any, draw: Any) -> None:
    problem.loss(parameters, draw)


def a_loop(problem: Any, parameters: Any, draw: Any) -> None:
    for _ in range(sum(array.size for array in parameters.values())):
        problem.loss(parameters, draw)


def a_hidden_loop(problem: Any, parameters: Any, draw: Any) -> None:
    with uncounted():
        a_loop(problem, parameters, draw)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_makes_the_passes_it_states_and_as_many_more_as_it_claims(name: str) -> None:
    method = stating_its_work(name)
    backend = next(each for each in ("numpy", "torch", "jax") if each in method.claims.backends)
    for package in (backend, APART.get(name, backend)):
        if not installed(package):
            pytest.skip(f"{package} is not installed")
    if "gradient" not in method.claims.wants:
        pytest.skip("the cost of a gradient is judged")
    # Compilers take half of ten seconds on an idle machine, and all of them on a busy one.
    found = findings(method, backend=backend, seconds=10.0 if name == "forward_ad" else 60.0)
    # Who stops where a coordinate's own error says so states no number, and no power of it is exact.
    seen = {"cost.count", "cost.passes"} if method.claims.work is not None else set()
    if name == "forward_ad":  # one direction after the other: a third size would take longer than it may
        seen.remove("cost.passes")
    assert {each.check for each in found if each.status == "passed"} == seen
    assert not failed(found), [each.reason for each in found]


@pytest.mark.parametrize("besides", [one_more_loss, a_loop])
def test_a_pass_that_is_not_stated_is_counted(besides: Any) -> None:
    found = findings(Impostor(besides))
    assert "cost.count" in failed(found)
    first = found[0]
    assert first.evidence is not None and first.evidence.expected == 1


def test_a_wrong_power_of_the_passes_is_seen_where_their_number_is_right() -> None:
    honest = gradmark.get_method("central_difference")
    wrong = Impostor(nothing, honest.claims.work, Growth(passes=0), honest)
    found = findings(wrong)
    assert failed(found) == {"cost.passes"}
    assert "P^1.00, claimed is P^0" in next(each.reason for each in found if each.status == "failed")


def test_passes_that_grow_with_p_log_p_do_not_grow_with_p() -> None:
    def work(problem: Any) -> Work:
        size = sum(array.size for array in problem.parameters.values())
        return Work(forward=1 + int(size * np.log(size)), pullback=1)

    def besides(problem: Any, parameters: Any, draw: Any) -> None:
        from gradmark.work import count

        count(forward=work(problem).forward - 1)

    found = findings(Impostor(besides, work, Growth(passes=1)), (150, 600, 2_500))
    assert failed(found) == {"cost.passes"}


def test_a_black_box_that_reads_a_pullback_is_found_out() -> None:
    @gradmark.gradient_method(family="evolution", biased="it looks", evaluations=lambda size: 1)
    def peeks(problem: Any, parameters: Any, seed: int) -> Any:
        return BACKPROP.prepare(problem)(parameters).gradient

    found = findings(peeks())
    assert failed(found) == {"cost.count"}
    assert "pullbacks" in found[0].reason


def measured(*laws: Callable[[float], float], noise: float = 0.02) -> tuple[growth.Measure, list[int]]:
    """A made-up clock: attempt i follows the i-th law with noise; and the attempts that were made."""
    attempts: list[int] = []

    def measure(attempt: int) -> Costs:
        attempts.append(attempt)
        random = np.random.default_rng(attempt)
        law = laws[min(attempt, len(laws) - 1)]
        values = [law(size) * float(np.exp(noise * random.standard_normal())) for size in SIZES]
        return Costs(tuple(map(float, SIZES)), tuple(values))

    return measure, attempts


def linear(size: float) -> float:
    return 1e-5 + 1e-8 * size


def quadratic(size: float) -> float:
    return 1e-5 + 1e-8 * size**2


@pytest.mark.parametrize(("law", "claimed"), [(linear, 1.0), (quadratic, 2.0)])
def test_a_time_that_grows_as_claimed_passes_at_once(law: Any, claimed: float) -> None:
    measure, attempts = measured(law)
    assert growth.judged("cost.time", "time", claimed, measure).status == "passed"
    assert attempts == [0]


def test_a_time_that_grows_faster_is_accused_after_it_was_measured_again() -> None:
    measure, attempts = measured(quadratic)
    finding = growth.judged("cost.time", "time", 1.0, measure)
    assert finding.status == "failed" and attempts == [0, 1]
    assert finding.evidence is not None and finding.evidence.found == pytest.approx(2, abs=0.1)


def test_one_disturbed_measurement_accuses_nobody() -> None:
    measure, attempts = measured(quadratic, linear)
    assert growth.judged("cost.time", "time", 1.0, measure).status == "skipped"
    assert attempts == [0, 1]


def test_neither_does_a_bend_within_the_margin() -> None:
    measure, _ = measured(lambda size: 1e-8 * size ** (1 + 0.8 * WIDE), noise=0.005)
    assert growth.judged("cost.time", "time", 1.0, measure).status == "skipped"


def test_what_grows_more_slowly_than_claimed_is_not_accused() -> None:
    measure, attempts = measured(linear)
    finding = growth.judged("cost.time", "time", 2.0, measure)
    assert finding.status == "skipped" and "more slowly" in finding.reason and attempts == [0]


@pytest.mark.parametrize("seed", range(20))
def test_a_clock_that_says_nothing_leaves_nothing_open(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.exp(random.standard_normal(len(SIZES)) * 2)
    finding = growth.judged(
        "cost.time", "time", 1.0, lambda attempt: Costs(tuple(SIZES), tuple(values.tolist()))
    )
    assert finding.status in ("passed", "skipped")


def test_too_few_sizes_say_nothing() -> None:
    finding = growth.judged("cost.time", "time", 1.0, lambda attempt: Costs((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)))
    assert finding.status == "skipped"


def beside(method: Callable[[float, float], float], stated: Callable[[float], float] = lambda p: 2) -> Any:
    """A made-up measurement at P = 100 and 1600: ``method(P, rows)`` in seconds, beside `loss`."""

    def at(size: float) -> hidden.Rows:
        few, many = (method(size, rows) for rows in (8, 128))
        return hidden.Rows(size, stated(size), few, many, loss(size, 8), loss(size, 128))

    return at(100.0), at(1_600.0)


def loss(size: float, rows: float) -> float:
    return 2e-5 + 1e-9 * size * rows + 2e-7 * rows


def test_as_many_losses_as_parameters_in_a_call_are_hidden_passes() -> None:
    loop, honest = beside(lambda p, rows: p * loss(p, rows)), beside(lambda p, rows: 3 * loss(p, rows))
    assert loop[1].passes == pytest.approx(800)
    assert hidden.judged([loop, loop], 0.0).status == "failed"
    assert hidden.judged([loop, honest], 0.0).status == "passed"


def test_a_slow_loop_over_parameters_hides_no_passes() -> None:
    slow = beside(lambda p, rows: 1e-1 * p + 3 * loss(p, rows))
    assert hidden.judged([slow, slow], 0.0).status == "passed"


def test_a_slow_loop_over_rows_hides_no_passes() -> None:
    slow = beside(lambda p, rows: rows * loss(p, 1) * 50)
    assert slow[1].passes > hidden.FAR
    assert hidden.judged([slow, slow], 0.0).status == "skipped"


def test_passes_that_are_stated_and_growth_that_is_claimed_are_not_hidden() -> None:
    stated = beside(lambda p, rows: p * loss(p, rows), lambda p: p)
    assert hidden.judged([stated, stated], 0.0).status == "passed"
    claimed = beside(lambda p, rows: p * loss(p, rows))
    assert hidden.judged([claimed, claimed], 1.0).status == "skipped"


def test_a_loop_that_nobody_counts_is_found_by_the_clock() -> None:
    """On the real clock: each stated pass takes hundreds of losses, and an honest one takes a few."""
    sizes = (150, 300, 600, 1_200)
    assert "cost.hidden" in failed(findings(Impostor(a_hidden_loop), sizes, batch=128))
    assert not failed(findings(BACKPROP, sizes, batch=128))


def test_memory_that_grows_as_claimed_is_seen_and_none_is_made_up() -> None:
    sizes = (170_000, 340_000, 480_000, 680_000, 1_360_000)
    (finding,) = [each for each in findings(BACKPROP, sizes) if each.check == "cost.memory"]
    assert finding.status in ("passed", "skipped"), finding.reason


def test_a_method_that_states_nothing_is_not_examined() -> None:
    silent = replace(BACKPROP.claims, work=None, growth=Growth())
    assert cost.applies(silent) is not None
    assert cost.applies(BACKPROP.claims) is None


def test_the_growth_that_a_short_form_is_given_holds_for_an_honest_loop() -> None:
    @gradmark.gradient_method(family="finite-difference", order=1, evaluations=lambda size: size + 1)
    def one_sided(problem: Any, parameters: Any, seed: int, step: float = 1e-6) -> Any:
        value, gradient = problem.loss(parameters), {}
        for name, x in parameters.items():
            slopes = np.empty(x.size)
            for i in range(x.size):
                moved = x.copy()
                moved.flat[i] += step
                slopes[i] = (problem.loss({**parameters, name: moved}) - value) / step
            gradient[name] = slopes.reshape(x.shape)
        return gradient

    found = findings(one_sided(), (150, 300, 600, 1_200))
    assert not failed(found)
    assert {each.status for each in found if each.check in ("cost.count", "cost.passes")} == {"passed"}


@cache
def up_to_wide() -> list[Any]:
    """One network at sizes that reach layers much wider than what comes in and goes out."""
    sizes = (150, 600, 2_500, 10_000, 50_000, 100_000, 400_000, 1_200_000)
    return [gradmark.get_problem("mlp", widths=widths_for(size), batch=4) for size in sizes]


def growing(law: Callable[[Any], float], power: float) -> str:
    """What is said of a method whose passes are counted, at the first five sizes, and stated by `law`."""
    method = Impostor(nothing, lambda problem: Work(forward=law(problem)), Growth(passes=power))
    ladder = [Hearing("method", method, Trial("mlp"), problem) for problem in up_to_wide()]
    made = [Work(forward=law(each.problem)) for each in ladder[:5]]
    return counts.growth(ladder, [Answer({}, Estimate({}, None, work), work, 0.0) for work in made]).status


def units(problem: Any) -> float:
    """A pass for each unit: a power of P in the end, when layers are wider than inputs and outputs."""
    return 1.0 + sum(array.size for name, array in problem.parameters.items() if name.endswith("bias"))


def entries(problem: Any) -> float:
    return 1.0 + sum(array.size for array in problem.parameters.values())


def test_passes_for_each_unit_grow_with_the_root_of_p_where_layers_are_wide() -> None:
    assert growing(units, 0.5) == growing(entries, 1.0) == growing(lambda problem: 3.0, 0.0) == "passed"


@pytest.mark.parametrize(
    ("law", "power"),
    [
        *((units, power) for power in (0.0, 0.25, 0.75, 1.0)),
        *((entries, power) for power in (0.0, 0.5, 0.75, 1.25, 2.0)),
        (lambda problem: entries(problem) * np.log(entries(problem)), 1.0),
        (lambda problem: units(problem) * np.log(entries(problem)), 0.5),
    ],
)
def test_wide_layers_excuse_no_wrong_power(law: Callable[[Any], float], power: float) -> None:
    assert growing(law, power) == "failed"
