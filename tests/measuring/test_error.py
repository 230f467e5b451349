"""The error profile against numbers worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from gradmark.arrays import epsilon
from gradmark.errors import UsageError
from gradmark.measuring.error import profile
from gradmark.measuring.float_class import float_class
from gradmark.reference import Reference


def reference(uncertainty: float = 0.0, **arrays: Any) -> Reference:
    gradient = {name: np.asarray(array, np.longdouble) for name, array in arrays.items()}
    return Reference(gradient, dict.fromkeys(gradient, uncertainty), "by hand", frozenset())


def test_relative_cosine_and_ratio_are_those_of_the_whole_vector() -> None:
    found = profile(
        {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}, reference(a=[3, 4], b=[[0]]), "float64"
    )
    # g = (3, 0, 4), r = (3, 4, 0): difference (0, -4, 4), both of norm 5, inner product 9.
    assert found.relative == pytest.approx(math.sqrt(32) / 5)
    assert found.cosine == pytest.approx(9 / 25)
    assert found.norm_ratio == pytest.approx(1.0)


def test_each_array_has_its_own_profile_and_its_worst_entry() -> None:
    gradient = {"a": np.array([[1.0, 2.0], [3.0, 4.5]]), "b": np.array([2.0])}
    found = profile(gradient, reference(a=[[1, 2], [3, 4]], b=[2]), "float64")
    assert found.arrays["a"].worst == (1, 1)
    assert found.arrays["a"].absolute == pytest.approx(0.5)
    assert found.arrays["a"].relative == pytest.approx(0.5 / math.sqrt(30))
    assert found.arrays["b"].relative == 0.0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize("value", [1.0, 1.5, 3.0, 1e-3, 1000.0])
def test_the_next_number_of_a_dtype_is_one_ulp_away(dtype: str, value: float) -> None:
    unit = epsilon(dtype) * 2.0 ** math.floor(math.log2(value))
    found = profile({"a": np.array([value], np.longdouble) + unit}, reference(a=[value]), dtype)
    assert found.ulp == pytest.approx(1.0)


@pytest.mark.parametrize(("dtype", "numpy_type"), [("float32", np.float32), ("float64", np.float64)])
def test_ulps_are_numpys_spacing_down_to_the_subnormal_numbers(dtype: str, numpy_type: type) -> None:
    for value in (0.7, 1e-30, float(np.finfo(numpy_type).smallest_subnormal) * 3, 0.0):
        r = numpy_type(value)
        found = profile({"a": np.array([r + 2 * np.spacing(r)])}, reference(a=[r]), dtype)
        assert found.ulp == pytest.approx(2.0)


def test_ulps_within_the_references_uncertainty_are_nobodys_fault() -> None:
    found = profile({"a": np.array([1.0, 1e-20])}, reference(1e-19, a=[1, 0]), "float64")
    assert found.ulp == 0.0


def test_digits_are_the_logarithm_of_the_error() -> None:
    found = profile({"a": np.array([1.0 + 1e-6])}, reference(a=[1]), "float64")
    assert found.digits == pytest.approx(6.0, abs=1e-4)


def test_digits_are_no_more_than_the_dtype_has() -> None:
    exact = {"a": np.array([1.0])}
    for dtype in ("float32", "float64"):
        assert profile(exact, reference(a=[1]), dtype).digits == pytest.approx(
            -math.log10(epsilon(dtype) / 2), rel=1e-9
        )


def test_digits_are_no_more_than_the_reference_knows() -> None:
    assert profile({"a": np.array([1.0])}, reference(1e-5, a=[1]), "float64").digits == pytest.approx(5.0)


def test_digits_of_a_wholly_wrong_gradient_are_none() -> None:
    assert profile({"a": np.array([-100.0])}, reference(a=[1]), "float64").digits == 0.0


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float64, "float64"),
        (torch.float32, "float32"),
        (torch.float16, "float16"),
        (torch.bfloat16, "bfloat16"),
    ],
)
def test_a_rounded_gradient_is_of_its_dtypes_class(dtype: torch.dtype, expected: str) -> None:
    numbers = torch.randn(500, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    # A tenth of an epsilon makes the exact gradient one that no dtype holds.
    exact = numbers.numpy().astype(np.longdouble) * (1 + np.longdouble(2) ** -56)
    found = profile({"a": torch.from_numpy(exact.astype(np.float64)).to(dtype)}, reference(a=exact), expected)
    assert found.float_class == expected


def test_a_float64_gradient_with_a_float32_part_is_called_float32() -> None:
    exact = np.random.default_rng(0).standard_normal(100)
    partly = exact.copy()
    partly[:50] = partly[:50].astype(np.float32)
    assert profile({"a": partly}, reference(a=exact), "float64").float_class == "float32"


def test_the_class_is_no_better_than_the_reference_knows() -> None:
    exact = {"a": np.array([1.0])}
    assert profile(exact, reference(1e-9, a=[1]), "float64").float_class == "float32"


def test_classes_are_nested() -> None:
    order = ["float64", "float32", "float16", "bfloat16", "below"]
    found = [order.index(float_class(10.0**-power)) for power in range(17, -1, -1)]
    assert found == sorted(found)
    assert {order[place] for place in found} == set(order)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_has_nothing_right(bad: float) -> None:
    gradient = {"a": np.array([1.0, bad, 1.0]), "b": np.array([2.0])}
    found = profile(gradient, reference(a=[1, 1, 1], b=[2]), "float64")
    assert (found.relative, found.cosine, found.digits, found.ulp) == (math.inf, 0.0, 0.0, math.inf)
    assert found.float_class == "not finite"
    assert found.arrays["a"].worst == (1,)
    assert found.arrays["b"].relative == 0.0


def test_a_zero_array_that_is_zero_is_right() -> None:
    found = profile({"a": np.zeros(2), "b": np.array([1.0])}, reference(a=[0, 0], b=[1]), "float64")
    assert (found.arrays["a"].relative, found.arrays["a"].cosine, found.arrays["a"].norm_ratio) == (0, 1, 1)


def test_a_zero_array_that_is_not_zero_is_wrong_even_where_the_whole_hides_it() -> None:
    found = profile({"a": np.array([1e-9, 0]), "b": np.array([1.0])}, reference(a=[0, 0], b=[1]), "float64")
    assert (found.arrays["a"].relative, found.arrays["a"].cosine) == (math.inf, 0.0)
    assert found.relative == pytest.approx(1e-9)


def test_a_reference_that_is_zero_within_its_uncertainty_accuses_nobody_of_less() -> None:
    found = profile({"a": np.array([0.0])}, reference(1e-18, a=[3e-19]), "float64")
    assert found.relative == 0.0
    assert profile({"a": np.array([1e-15])}, reference(1e-18, a=[3e-19]), "float64").relative == math.inf


def test_the_zero_gradient_is_wholly_wrong() -> None:
    found = profile({"a": np.zeros(3)}, reference(a=[1, 2, 3]), "float64")
    assert (found.relative, found.cosine, found.norm_ratio, found.digits) == (1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("scale", ["1e-300", "1e300"])
def test_norms_neither_overflow_nor_vanish(scale: str) -> None:
    factor = np.longdouble(scale)
    found = profile({"a": np.array([3, 0]) * factor}, reference(a=np.array([3, 4]) * factor), "float64")
    assert found.relative == pytest.approx(4 / 5)
    assert found.cosine == pytest.approx(3 / 5)


def test_names_must_be_the_parameters() -> None:
    with pytest.raises(UsageError, match=r"missing \['b'\], unknown \['c'\]"):
        profile({"a": np.zeros(1), "c": np.zeros(1)}, reference(a=[1], b=[1]), "float64")


def test_shapes_must_be_the_parameters() -> None:
    with pytest.raises(UsageError, match=r"`a` has shape \(2,\), its parameter \(1, 2\)"):
        profile({"a": np.zeros(2)}, reference(a=[[1, 2]]), "float64")


def test_complex_numbers_are_no_gradient() -> None:
    with pytest.raises(UsageError, match="complex128"):
        profile({"a": np.zeros(1, complex)}, reference(a=[1]), "float64")


def test_what_underflowed_is_zero_in_the_gradient_and_not_in_the_reference() -> None:
    gradient = {"a": np.array([0.0, 2.0, 0.0, 0.0]), "b": np.array([1.0, np.nan])}
    found = profile(gradient, reference(a=[1e-9, 2, 0, -1e-30], b=[1, 1]), "float16")
    assert (found.arrays["a"].underflowed, found.arrays["b"].underflowed) == (0.5, 0.0)
    assert found.underflowed == pytest.approx(2 / 6)


def test_the_size_of_an_entry_is_the_references_root_mean_square() -> None:
    found = profile(
        {"a": np.zeros((2, 2)), "b": np.zeros(1)}, reference(a=[[3, 4], [0, 0]], b=[0]), "float16"
    )
    assert found.arrays["a"].root_mean_square == pytest.approx(2.5)
    assert found.arrays["b"].root_mean_square == 0.0
