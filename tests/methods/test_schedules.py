"""Schedules of checkpointing: the optimum by an independent programme, and what a schedule holds and runs."""

from functools import cache
from itertools import pairwise
from math import comb, sqrt

import pytest

from methods.reverse.checkpointing.actions import Advance, Restore, Reverse, Store, runs
from methods.reverse.checkpointing.arena import arena, operations, steps_run
from methods.reverse.checkpointing.revolve import advances, repetition, revolve
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
def test_the_arena_of_uniform_segments_has_the_size_of_the_formula(steps: int) -> None:
    for segments in range(1, steps + 1):
        found = arena(operations(uniform(steps, segments), steps), [3] * steps)
        assert found.numbers == numbers_held([3] * steps, segments) == 3 * states_held(steps, segments)


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


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("binomial", [False, True])
def test_no_state_is_overwritten_while_it_is_needed(name: str, binomial: bool) -> None:
    """Followed with the numbers of states instead of arrays: each use finds what was put there."""
    sizes = SIZES[name]
    for number in range(1, len(sizes) + 1):
        plan = revolve(len(sizes), number) if binomial else uniform(len(sizes), number)
        done = operations(plan, len(sizes))
        found = arena(done, sizes)
        inside: dict[int, int] = {}
        reversed_steps = []
        for each in done:
            assert each.x == 0 or inside[found.place[each.x]] == each.x
            if each.back:
                assert inside[found.place[each.y]] == each.y
                reversed_steps.append(each.step)
            else:
                assert each.x == 0 or found.place[each.x] != found.place[each.y]
                assert found.buffers[found.place[each.y]] >= sizes[each.step]
                inside[found.place[each.y]] = each.y
        assert reversed_steps == list(reversed(range(len(sizes))))
        if not binomial:
            assert numbers_held(sizes, number) <= found.numbers <= sum(sizes)


@every_number_of_states
def test_revolve_in_buffers_holds_two_states_more_than_it_stores_and_runs_the_last_step_once(
    states: int,
) -> None:
    for steps in range(1, MOST_STEPS + 1):
        done = operations(revolve(steps, states), steps)
        # All states are held if they are as few; else two take turns on the way to the next one, beside the
        # output of the step to be reversed and all that is stored, of which the data are not in the arena.
        assert len(arena(done, [1] * steps).buffers) <= min(steps, states + 2)
        assert len(steps_run(done)) == advances(steps, states) + 1


def test_with_as_many_states_as_steps_nothing_is_run_again() -> None:
    for steps in (1, 2, 9):
        assert sorted(steps_run(operations(revolve(steps, steps), steps))) == list(range(steps))
        assert sorted(steps_run(operations(uniform(steps, 1), steps))) == list(range(steps))
