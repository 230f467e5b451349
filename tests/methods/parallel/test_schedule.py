"""The simulator of pipeline schedules against what the papers state."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.reverse.parallel.schedule import KINDS, Kind, Step, bubble, in_flight, simulate
from methods.reverse.parallel.splitting import balanced, spans

kinds, stages, micro_batches = st.sampled_from(KINDS), st.integers(1, 9), st.integers(1, 24)
costs = st.fractions(Fraction(1, 4), 4)
few = settings(max_examples=60, deadline=None)


@few
@given(kinds, stages, micro_batches)
def test_the_bubble_is_k_minus_1_over_m_plus_k_minus_1(kind: Kind, k: int, m: int) -> None:
    assert bubble(simulate(kind, k, m)) == Fraction(k - 1, m + k - 1)


@few
@given(stages, micro_batches, costs, costs)
def test_the_bubble_of_gpipe_does_not_depend_on_the_costs(
    k: int, m: int, forward: Fraction, backward: Fraction
) -> None:
    schedule = simulate("gpipe", k, m, forward_cost=forward, backward_cost=backward)
    assert bubble(schedule) == Fraction(k - 1, m + k - 1)


@few
@given(kinds, stages, micro_batches, costs, costs)
def test_each_step_is_done_once_after_what_it_needs_and_never_two_at_once(
    kind: Kind, k: int, m: int, forward: Fraction, backward: Fraction
) -> None:
    schedule = simulate(kind, k, m, forward_cost=forward, backward_cost=backward)
    slots = {(slot.stage, slot.step): slot for slot in schedule.slots}
    assert len(slots) == len(schedule.slots) == 2 * k * m
    for stage in range(k):
        own = schedule.of(stage)
        assert all(before.end <= here.start for before, here in pairwise(own))
        for number in range(m):
            ahead, back = Step("forward", number), Step("backward", number)
            assert slots[stage, ahead].end <= slots[stage, back].start
            if stage:
                assert slots[stage - 1, ahead].end <= slots[stage, ahead].start
                assert slots[stage, back].end <= slots[stage - 1, back].start


@few
@given(stages, micro_batches)
def test_gpipe_holds_all_micro_batches_and_1f1b_no_more_than_there_are_stages_left(k: int, m: int) -> None:
    assert in_flight(simulate("gpipe", k, m)) == (m,) * k
    assert in_flight(simulate("1f1b", k, m)) == tuple(min(k - stage, m) for stage in range(k))


@given(stages)
def test_four_micro_batches_for_each_stage_leave_less_than_a_fifth_idle(k: int) -> None:
    assert bubble(simulate("gpipe", k, 4 * k)) < Fraction(1, 5)


@given(st.integers(0, 100), st.integers(1, 12))
def test_spans_cover_the_rows_in_order_and_differ_by_one_at_most(rows: int, parts: int) -> None:
    found = spans(rows, parts)
    assert [row for start, stop in found for row in range(start, stop)] == list(range(rows))
    lengths = [stop - start for start, stop in found]
    assert len(lengths) == parts and max(lengths) - min(lengths) <= 1


@few
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 8))
def test_stages_are_balanced_as_well_as_can_be(layers: list[int], parts: int) -> None:
    if len(layers) < parts:
        with pytest.raises(ValueError, match="do not fill"):
            balanced(layers, parts)
        return
    found = balanced(layers, parts)
    assert [each for start, stop in found for each in range(start, stop)] == list(range(len(layers)))
    assert len(found) == parts and all(start < stop for start, stop in found)
    assert max(sum(layers[start:stop]) for start, stop in found) == _best(layers, parts)


def _best(layers: list[int], parts: int) -> int:
    """The least cost of the dearest part, over every way to cut."""
    if parts == 1:
        return sum(layers)
    cuts = range(1, len(layers) - parts + 2)
    return min(max(sum(layers[:cut]), _best(layers[cut:], parts - 1)) for cut in cuts)
