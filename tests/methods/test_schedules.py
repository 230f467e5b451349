"""Schedules of checkpointing: the optimum by an independent programme, and what a schedule holds and runs."""

import random
from functools import cache
from itertools import pairwise
from math import comb, sqrt

import pytest

from methods.reverse.checkpointing.actions import Advance, Restore, Reverse, Store, runs
from methods.reverse.checkpointing.arena import Value, arena, most_at_once
from methods.reverse.checkpointing.lifetimes import Plan, Sizes, planned
from methods.reverse.checkpointing.operations import DATA, operations, states_at_once, steps_run
from methods.reverse.checkpointing.revolve import advances, repetition, revolve
from methods.reverse.checkpointing.steps import Step
from methods.reverse.checkpointing.uniform import (
    best_segments,
    boundaries,
    numbers_held,
    states_held,
    uniform,
)

MOST_STEPS, MOST_STATES = 60, 5
every_number_of_states = pytest.mark.parametrize("states", range(1, MOST_STATES + 1))


@cache
def fewest_advances(steps: int, states: int) -> int:
    """By trying every state that could be stored next, with the first state being stored already."""
    if steps == 1:
        return 0
    if states == 1:
        return steps - 1 + fewest_advances(steps - 1, 1)
    return min(
        m + fewest_advances(m, states) + fewest_advances(steps - m, states - 1) for m in range(1, steps)
    )


def followed(schedule: list, steps: int) -> tuple[int, int]:
    """Follow a schedule by its rules: the steps advanced, and the most states stored at once."""
    present, stored, behind, advanced, most = 0, {0}, steps, 0, 1
    for index, action in enumerate(schedule):
        match action:
            case Advance(start, stop):
                assert present == start < stop
                present, advanced = stop, advanced + stop - start
            case Store(state):
                assert present == state
                stored.add(state)
            case Restore(state):
                assert state in stored
                present = state
            case Reverse(start, stop):
                assert present == start and stop == behind
                behind = start
        needed = {each.state for each in schedule[index + 1 :] if isinstance(each, Restore)}
        stored &= needed | {0}
        most = max(most, len(stored))
    assert behind == 0
    return advanced, most


@every_number_of_states
def test_revolve_advances_as_little_as_any_schedule_can(states: int) -> None:
    for steps in range(1, MOST_STEPS + 1):
        advanced, stored = followed(revolve(steps, states), steps)
        assert advanced == advances(steps, states) == fewest_advances(steps, states)
        assert stored <= states


@every_number_of_states
def test_the_repetition_number_is_the_least_with_which_the_steps_can_be_reversed(states: int) -> None:
    for steps in range(1, MOST_STEPS + 1):
        times = repetition(steps, states)
        assert steps <= comb(states + times, states)
        assert times == 0 or steps > comb(states + times - 1, states)
        runs_of = [0] * steps
        for start, stop in runs(revolve(steps, states)):
            for step in range(start, stop):
                runs_of[step] += 1
        assert max(runs_of) == times + 1  # and the run with which the reversal begins


def test_griewank_and_walthers_example_of_fifty_steps_and_five_states() -> None:
    assert advances(50, 5) / 50 == 2.44


@pytest.mark.parametrize("steps", [1, 2, 7, 16, 64, 65])
def test_uniform_runs_every_step_again_but_those_of_a_longest_segment(steps: int) -> None:
    for segments in range(1, steps + 1):
        lengths = [stop - start for start, stop in pairwise(boundaries(steps, segments))]
        assert sum(lengths) == steps and max(lengths) - min(lengths) <= 1 and lengths[-1] == max(lengths)
        plan = uniform(steps, segments)
        advanced, stored = followed(plan, steps)
        assert advanced == steps - -(-steps // segments) and stored == max(1, segments - 1)
        # In buffers the state behind a segment is there already: its last step is not run again.
        assert len(steps_run(operations(plan, steps))) == steps + advanced - (segments - 1)


@pytest.mark.parametrize("steps", [1, 2, 7, 16, 64, 65])
def test_uniform_segments_need_as_many_states_at_once_as_the_formula_says(steps: int) -> None:
    for segments in range(1, steps + 1):
        found = states_at_once(operations(uniform(steps, segments), steps), [3] * steps)
        assert found == numbers_held([3] * steps, segments) == 3 * states_held(steps, segments)


@pytest.mark.parametrize("steps", [4, 9, 36, 100, 256, 1000])
def test_the_best_number_of_segments_holds_two_square_roots_of_states(steps: int) -> None:
    held = states_held(steps, best_segments([1] * steps))
    assert held == min(states_held(steps, segments) for segments in range(1, steps + 1))
    assert held <= 2 * sqrt(steps)


SIZES = {
    "narrowing": [50, 40, 30, 20, 10, 5],
    "widening": [5, 10, 20, 30, 40, 50],
    "bottleneck": [40, 40, 3, 40, 40, 40, 2],
    "wide within": [3, 90, 3, 3, 90, 3, 3],
}


OWN = 7
"""The numbers of each layer's parameters below."""


def planned_for(sizes: list[int], schedule: list, own: int = OWN) -> Plan:
    """Of a dense layer and an activation for each step; the last one has no activation."""
    layers = [each for i, size in enumerate(sizes) for each in (Sizes(size, {f"{i}": own}), Sizes(size, {}))]
    steps = [Step(2 * i, min(2 * i + 2, 2 * len(sizes) - 1), 1.0, size) for i, size in enumerate(sizes)]
    return planned(operations(schedule, len(sizes)), steps, layers[:-1])


def every_schedule(steps: int) -> list[list]:
    return [make(steps, number) for make in (uniform, revolve) for number in range(1, steps + 1)]


class Marked:
    """The arena with a mark in place of each number: what was written there last."""

    def __init__(self, plan: Plan) -> None:
        self.places, self.plan = arena(plan.values), plan
        self.inside: list[object] = [None] * self.places.numbers

    def write(self, key: tuple, mark: object = None) -> None:
        self.inside[self.span(key)] = [mark or key] * self.plan.values[key].size

    def read(self, key: tuple, mark: object = None) -> None:
        assert self.inside[self.span(key)] == [mark or key] * self.plan.values[key].size, key

    def span(self, key: tuple) -> slice:
        start = self.places.offsets[key]
        assert 0 <= start <= self.places.numbers - self.plan.values[key].size
        return slice(start, start + self.plan.values[key].size)


@pytest.mark.parametrize("name", SIZES)
def test_nothing_is_overwritten_while_it_is_needed(name: str) -> None:
    """Followed with marks instead of numbers: each call finds what was put there, wherever it reads."""
    sizes = SIZES[name]
    last = 2 * len(sizes) - 1
    for schedule in every_schedule(len(sizes)):
        plan = planned_for(sizes, schedule)
        marked, pulled_back = Marked(plan), []
        for layer, back, x, y in plan.calls:
            activation = layer % 2 == 1 and layer < last
            reads = [("state", x)] if x != DATA else []
            if not back:  # an activation makes h of z in the same place
                for key in reads:
                    marked.read(key, ("z", x) if activation else None)
                marked.write(("state", y), None if activation or layer == last - 1 else ("z", y))
                continue
            writes = [("delta", layer)] if layer else []
            if layer < last:
                pulled_back.append(layer)
                reads.append(("delta", layer + 1))
                writes += [] if activation else [("gradient", f"{layer // 2}")]
            for key in reads:
                marked.read(key)
            for key in writes:
                marked.write(key)
            for key in (*reads, *writes):
                marked.read(key)  # all of them are apart
        assert pulled_back == list(reversed(range(last)))
        for step in range(len(sizes)):
            marked.read(("gradient", f"{step}"))


def overlapping(plan: dict[int, Value]) -> bool:
    """Whether any two values that are needed at one time share a number, by comparing all pairs."""
    found = arena(plan)
    pairs = ((one, other) for one in plan for other in plan if one < other)
    for one, other in pairs:
        a, b = plan[one], plan[other]
        together = (a.death is None or b.birth <= a.death) and (b.death is None or a.birth <= b.death)
        apart = found.offsets[one] >= found.offsets[other] + b.size or (
            found.offsets[other] >= found.offsets[one] + a.size
        )
        if together and not apart:
            return True
    return min(found.offsets.values()) < 0 or found.numbers < max(
        found.offsets[key] + value.size for key, value in plan.items()
    )


def any_values(seed: int, size: int | None = None) -> dict[int, Value]:
    """Sixty values; those not for good are of `size`, if it is given."""
    draw = random.Random(seed)
    found = {}
    for key in range(60):
        birth, kept = draw.randrange(100), draw.random() < 0.3
        death = None if kept else birth + draw.randrange(30)
        found[key] = Value(size if size and not kept else draw.randrange(1, 50), birth, death)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_any_values_are_placed_apart_and_those_of_one_size_in_the_smallest_buffer(seed: int) -> None:
    for size in (None, 1, 24):
        values = any_values(seed, size)
        assert not overlapping(values)
        assert arena(values).numbers >= most_at_once(values)
        if size:
            assert arena(values).numbers == most_at_once(values)


@pytest.mark.parametrize("steps", [1, 2, 7, 16, 40])
@pytest.mark.parametrize("own", [1, 40, 1000])
def test_steps_of_one_size_are_held_in_no_more_than_is_needed_at_once(steps: int, own: int) -> None:
    """Whether parameters are few or many beside the 40 numbers of a state; counted call by call."""
    for schedule in every_schedule(steps):
        plan = planned_for([40] * steps, schedule, own)
        most = max(
            sum(
                value.size
                for value in plan.values.values()
                if value.birth <= when and (value.death is None or when <= value.death)
            )
            for when in range(len(plan.calls))
        )
        assert arena(plan.values).numbers == most_at_once(plan.values) == most


@pytest.mark.parametrize("name", SIZES)
def test_what_uneven_steps_need_at_once_is_the_formula_too(name: str) -> None:
    sizes = SIZES[name]
    for segments in range(1, len(sizes) + 1):
        done = operations(uniform(len(sizes), segments), len(sizes))
        assert states_at_once(done, sizes) == numbers_held(sizes, segments)


@pytest.mark.parametrize("steps", [9, 16, 64])
@pytest.mark.parametrize("own", [5, 40, 90])
def test_the_arena_of_uniform_segments_is_the_closed_form(steps: int, own: int) -> None:
    """In a segment are held: the states stored for those before it, its own up to a step, and two deltas.

    The gradient is there of all steps behind when an activation is pulled back; of the step itself, too, but
    no output of it, when its dense layer is. The first step has data and no delta for them.
    """
    for segments in range(1, steps + 1):
        peaks = []
        for stored, (start, stop) in enumerate(pairwise(boundaries(steps, segments))):
            for step in range(start, stop):
                before = stored + step - start
                peaks.append(40 * (before + (2 if step else 1)) + own * (steps - step))
                if step < steps - 1:
                    peaks.append(40 * (before + 3) + own * (steps - step - 1))
        assert arena(planned_for([40] * steps, uniform(steps, segments), own).values).numbers == max(peaks)


@every_number_of_states
def test_revolve_in_buffers_holds_two_states_more_than_it_stores_and_runs_the_last_step_once(
    states: int,
) -> None:
    for steps in range(1, MOST_STEPS + 1):
        done = operations(revolve(steps, states), steps)
        # All states are held if they are as few; else two take turns on the way to the next one, beside the
        # output of the step to be reversed and all that is stored, of which the data are not in the arena.
        assert states_at_once(done, [1] * steps) <= min(steps, states + 2)
        assert len(steps_run(done)) == advances(steps, states) + 1


def test_with_as_many_states_as_steps_nothing_is_run_again() -> None:
    for steps in (1, 2, 9):
        assert sorted(steps_run(operations(revolve(steps, steps), steps))) == list(range(steps))
        assert sorted(steps_run(operations(uniform(steps, 1), steps))) == list(range(steps))
