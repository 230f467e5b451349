"""The frontier against its definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reports.frontier import on_frontier, resolution

POINTS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=12)


@given(POINTS)
def test_a_point_is_on_the_frontier_if_and_only_if_no_other_beats_it(points: list[tuple[int, int]]) -> None:
    cost, error = (np.array(values, float) for values in zip(*points, strict=True))
    beaten = [any(c <= a and e <= b and (c, e) != (a, b) for c, e in points) for a, b in points]
    assert on_frontier(cost, error, "float64").tolist() == [not lost for lost in beaten]


def test_a_slower_method_does_not_win_by_a_difference_in_rounding() -> None:
    unit = resolution("float64") / 8
    cost, error = np.array([1.0, 2.0]), np.array([1.5 * unit, 1.4 * unit])
    assert on_frontier(cost, error, "float64").tolist() == [True, False]
