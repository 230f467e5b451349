"""Interleaved timing, on a machine whose clock the test moves."""

import gc
from collections.abc import Callable
from itertools import groupby

import pytest

from gradmark.errors import UsageError
from gradmark.measuring import stopwatch
from gradmark.measuring.allotment import affordable
from gradmark.measuring.time import Timing, interleaved, time_ratio
from tests.measuring.fake_machine import FakeMachine


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    return FakeMachine().install(monkeypatch)


def nothing() -> None:
    pass


def constant(machine: FakeMachine, **seconds: float) -> dict[str, Callable[[], None]]:
    return {name: machine.function(name, lambda _, cost=cost: cost) for name, cost in seconds.items()}


def test_each_function_is_timed_at_what_it_takes(machine: FakeMachine) -> None:
    functions = constant(machine, fast=1e-5, slow=0.02)
    found = interleaved(functions, synchronize=nothing, budget=10, most_rounds=7)
    assert found["fast"].median == pytest.approx(1e-5)
    assert found["slow"].median == pytest.approx(0.02)
    assert found["fast"].rounds == found["slow"].rounds == 7


def test_a_sample_lasts_two_milliseconds_and_not_many_times_that(machine: FakeMachine) -> None:
    for cost in (1e-8, 3e-6, 1.5e-3, 0.5):
        calls = interleaved(constant(machine, f=cost), synchronize=nothing, budget=100)["f"].calls
        assert calls * cost >= stopwatch.SAMPLE
        assert calls == 1 or calls * cost <= 2 * stopwatch.SAMPLE


def test_every_round_has_every_function_and_the_order_rotates(machine: FakeMachine) -> None:
    functions = constant(machine, a=0.01, b=0.01, c=0.01)
    interleaved(functions, synchronize=nothing, budget=10, most_rounds=4)
    order = "".join(machine.log)
    warm_up, rounds = order[:6], order[6:]
    assert warm_up == "aabbcc"
    # A sample is a call apart, which warms up again what the others left, and the call that is timed.
    assert rounds == "aabbcc" + "bbccaa" + "ccaabb" + "aabbcc"


def test_what_another_function_left_in_the_caches_is_in_no_sample(machine: FakeMachine) -> None:
    last: list[str] = []

    def function(name: str) -> Callable[[], None]:
        def call() -> None:
            machine.work(0.01 if last[-1:] == [name] else 0.03)
            last.append(name)

        return call

    found = interleaved({name: function(name) for name in "ab"}, synchronize=nothing, budget=10)
    assert [timing.median for timing in found.values()] == pytest.approx([0.01, 0.01])


def test_a_first_call_that_compiles_is_no_sample(machine: FakeMachine) -> None:
    functions = {"jit": machine.function("jit", lambda k: 3.0 if k == 0 else 0.01)}
    found = interleaved(functions, synchronize=nothing, budget=10)["jit"]
    assert found.first == pytest.approx(3.0)
    assert max(found.seconds) == pytest.approx(0.01)
    assert found.warm


def test_a_call_slower_than_its_share_is_made_once_and_is_the_sample(machine: FakeMachine) -> None:
    functions = constant(machine, slow=30.0, fast=0.01)
    found = interleaved(functions, synchronize=nothing, budget=20)
    assert found["slow"].seconds == pytest.approx((30.0,))
    assert not found["slow"].warm
    assert machine.log.count("slow") == 1


def test_a_call_of_a_fifth_of_a_second_is_made_once_apart_and_never_in_vain_again(
    machine: FakeMachine,
) -> None:
    found = interleaved(constant(machine, f=0.2), synchronize=nothing, budget=100, most_rounds=5)["f"]
    assert found.rounds == 5
    assert len(machine.log) == 6


def test_the_budget_is_kept_for_all_together(machine: FakeMachine) -> None:
    functions = constant(machine, a=0.001, b=0.3, c=0.7)
    interleaved(functions, synchronize=nothing, budget=8.0)
    assert machine.wall <= 8.0


def test_without_any_budget_each_function_still_has_one_sample(machine: FakeMachine) -> None:
    found = interleaved(constant(machine, a=0.01, b=0.5, c=2.0), synchronize=nothing, budget=0.0)
    assert {name: timing.rounds for name, timing in found.items()} == {"a": 1, "b": 1, "c": 1}


def test_a_dear_function_does_not_cost_the_cheap_ones_their_rounds(machine: FakeMachine) -> None:
    found = interleaved(constant(machine, loss=0.01, dear=4.0), synchronize=nothing, budget=15.0)
    assert found["loss"].rounds == 30
    assert 1 <= found["dear"].rounds <= 3


def test_equal_functions_share_a_short_budget_equally() -> None:
    assert affordable({"a": 1.0, "b": 1.0}, rounds=30, budget=2.0) == {"a", "b"}
    assert affordable({"a": 1.0, "b": 1.1}, rounds=30, budget=2.15) == {"a", "b"}
    assert affordable({"a": 1.0, "b": 60.0}, rounds=30, budget=10.0) == {"a"}
    assert affordable({"a": 1.0}, rounds=1, budget=0.5) == set()


def test_preempted_samples_are_taken_again_and_counted(machine: FakeMachine) -> None:
    calls = iter(range(10**6))

    def function() -> None:
        stolen = next(calls) % 10 == 5
        machine.work(0.03 if stolen else 0.01, on_cpu=1 / 3 if stolen else 1.0)

    found = interleaved({"f": function}, synchronize=nothing, budget=10, most_rounds=20)["f"]
    assert found.seconds == pytest.approx([0.01] * 20)
    assert found.dropped == pytest.approx(20 / 4, abs=1)


def test_a_function_that_waits_by_nature_is_not_taken_again_for_ever(machine: FakeMachine) -> None:
    def waits() -> None:
        machine.log.append("waits")
        machine.work(0.01, on_cpu=0.0)

    found = interleaved({"f": waits}, synchronize=nothing, budget=10, most_rounds=20)["f"]
    assert found.rounds == 20
    assert found.dropped == stopwatch.RETAKES
    assert len(machine.log) == 2 + 2 * (20 + stopwatch.RETAKES)


def test_the_device_is_waited_for_inside_the_sample_and_before_it(machine: FakeMachine) -> None:
    queue: list[float] = []

    def synchronize() -> None:
        machine.work(sum(queue))
        queue.clear()

    found = interleaved(
        {"long": lambda: queue.append(0.5), "short": lambda: queue.append(0.01)},
        synchronize=synchronize,
        budget=20,
    )
    assert found["long"].median == pytest.approx(0.5)
    assert found["short"].median == pytest.approx(0.01)


def test_garbage_is_not_collected_inside_a_sample(machine: FakeMachine) -> None:
    states = []

    def function() -> None:
        states.append(gc.isenabled())
        machine.work(0.01)

    interleaved({"f": function}, synchronize=nothing, budget=1)
    assert not any(states)
    assert gc.isenabled()


def test_garbage_collection_is_back_after_a_function_raised(machine: FakeMachine) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interleaved({"f": fails}, synchronize=nothing, budget=1)
    assert gc.isenabled()


def test_the_ratio_is_paired_so_a_machine_that_slows_down_does_not_move_it(machine: FakeMachine) -> None:
    def slowed(cost: float) -> Callable[[int], float]:
        return lambda _: cost * (1 + machine.wall)

    functions = {"loss": machine.function("loss", slowed(0.01)), "twice": machine.function("t", slowed(0.02))}
    found = interleaved(functions, synchronize=nothing, budget=10, most_rounds=20)
    assert max(found["loss"].seconds) > 1.5 * min(found["loss"].seconds)
    ratio = time_ratio(found["twice"], found["loss"])
    # Within a round the machine slows by one sample's 0.02 of the time, so each ratio is 2 within 5 %.
    assert 1.9 < ratio.low <= ratio.value <= ratio.high < 2.1


def test_one_round_says_nothing_of_the_ratio() -> None:
    one, base = Timing((3.0,), 1, 3.0), Timing((1.0, 1.1, 1.0), 1, 1.0)
    ratio = time_ratio(one, base)
    assert (ratio.value, ratio.low, ratio.high) == (pytest.approx(3.0), 0.0, float("inf"))


def test_quartiles_enclose_the_median() -> None:
    timing = Timing((4.0, 1.0, 3.0, 2.0, 5.0), 1, 9.0)
    assert (timing.q25, timing.median, timing.q75) == (2.0, 3.0, 4.0)
    assert Timing((7.0,), 1, 9.0).q25 == Timing((7.0,), 1, 9.0).q75 == 7.0


def test_samples_of_one_function_are_not_taken_in_a_row(machine: FakeMachine) -> None:
    interleaved(constant(machine, a=0.01, b=0.02), synchronize=nothing, budget=10, most_rounds=10)
    in_rounds = machine.log[4:]
    # The last of a round and the first of the next, with a call apart before each.
    assert max(len(list(run)) for _, run in groupby(in_rounds)) <= 4


@pytest.mark.parametrize("budget", [-1.0, float("nan")])
def test_a_budget_must_be_a_number_of_seconds(budget: float) -> None:
    with pytest.raises(UsageError, match="budget"):
        interleaved({"f": nothing}, synchronize=nothing, budget=budget)


def test_there_must_be_something_to_time() -> None:
    with pytest.raises(UsageError, match="functions"):
        interleaved({}, synchronize=nothing, budget=1)
    with pytest.raises(UsageError, match="most_rounds"):
        interleaved({"f": nothing}, synchronize=nothing, budget=1, most_rounds=0)
