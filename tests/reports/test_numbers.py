"""Numbers as a reader wants them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import numbers

READABLE = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def parsed(text: str) -> float:
    """The number that a printed text means."""
    return float(text.replace("\u202f", "").replace("×10", "e").translate(READABLE))


@given(st.floats(-1e300, 1e300).filter(lambda value: value == 0 or abs(value) > 1e-300))
def test_three_significant_digits_are_within_half_a_unit_of_the_third(value: float) -> None:
    assert parsed(numbers.three(value)) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize(
    ("value", "text"), [(999.7, "1\u202f000"), (0.0009996, "0.00100"), (99999.0, "1.00×10⁵"), (12.0, "12.0")]
)
def test_rounding_may_reach_the_next_power_of_ten(value: float, text: str) -> None:
    assert numbers.three(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (999.96, "s", "1.00\u202fks"),
        (1.5e-10, "s", "150\u202fps"),
        (0.5, "B", "0.500\u202fB"),
        (math.nan, "s", "–"),
    ],
)
def test_si_prefixes(value: float, unit: str, text: str) -> None:
    assert numbers.si(value, unit) == text


def test_what_is_not_there_is_a_dash_and_no_interval() -> None:
    assert numbers.three(None) == numbers.three(math.nan) == numbers.count(math.nan) == "–"
    assert numbers.interval(1.0, math.nan) == ""
    assert numbers.three(math.inf) == "∞"
