"""check_gradient on wrong gradients and on correct ones that are awkward, over sizes, dtypes and backends."""

import warnings
from typing import Any

import numpy as np
import pytest

from gradmark import check_gradient
from gradmark.arrays import Arrays, installed
from gradmark.judging.judgement import GradientCheck
from tests.judging.check_cases import FAULTS, Case, awkward, correct, faulty, hidden

LIBRARIES = [name for name in ("numpy", "torch", "jax") if installed(name)]
# Every library, both dtypes and all sizes, without their product.
PLACES = [("numpy", "float64", 3), ("numpy", "float64", 1000), ("numpy", "float32", 10)]
PLACES += [(library, "float64", 10) for library in LIBRARIES[1:]]
PLACES += [("torch", "float32", 1000)] if "torch" in LIBRARIES else []
everywhere = pytest.mark.parametrize(("backend", "dtype", "size"), PLACES)
quietly = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def checked(case: Case, **options: Any) -> GradientCheck:
    return check_gradient(case.function, case.gradient, case.at, **options)


@everywhere
def test_the_gradient_itself_is_correct(backend: str, dtype: str, size: int) -> None:
    check = checked(correct(Arrays(backend, "cpu", dtype), size))
    assert check.verdict == "correct", check.reason
    assert check.digits is not None and check.digits > {"float64": 13, "float32": 6}[dtype]


@everywhere
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_caught(backend: str, dtype: str, size: int, fault: str) -> None:
    if fault == "computed in float32" and dtype == "float32":
        pytest.skip("no fault there")
    check = checked(faulty(Arrays(backend, "cpu", dtype), size, fault))
    assert check.verdict == "wrong", check.reason


@everywhere
def test_faults_that_absolute_tolerances_do_not_see_are_caught(backend: str, dtype: str, size: int) -> None:
    found = {
        name: checked(case).verdict for name, case in hidden(Arrays(backend, "cpu", dtype), size).items()
    }
    assert set(found.values()) == {"wrong"}, found


@quietly
@everywhere
def test_awkward_gradients_are_not_accused(backend: str, dtype: str, size: int) -> None:
    cases = awkward(Arrays(backend, "cpu", dtype), size)
    with warnings.catch_warnings():
        found = {name: checked(case) for name, case in cases.items()}
    told = {
        name: (check.verdict, check.reason) for name, check in found.items() if check.verdict != "correct"
    }
    # At 1e4 x in float32 the cosine itself has hardly a digit; that it can't be told is then the truth.
    allowed = {"sin(1e4 x)"} if dtype == "float32" else set()
    assert set(told) <= allowed, told
    assert all(verdict != "wrong" for verdict, _ in told.values())


@pytest.mark.parametrize("fault", ["an entry zeroed", "scaled by 1.00001", "computed in float32"])
def test_faults_are_caught_at_a_hundred_thousand(fault: str) -> None:
    check = checked(faulty(Arrays(), 100_000, fault))
    assert check.verdict == "wrong"
    assert check.evidence is not None and check.evidence.array == "x" and check.evidence.index is not None
    if fault == "an entry zeroed":
        assert check.evidence.index == (33_333,) and check.evidence.found == 0


def test_a_float32_gradient_is_right_for_a_float32_function_and_says_its_digits() -> None:
    def inside(x: Any) -> Any:
        return np.float64(np.sum(np.sin(x.astype(np.float32))))

    def rough(x: Any) -> Any:
        return np.cos(x.astype(np.float32)).astype(np.float64)

    at = np.random.default_rng(0).normal(size=20)
    right = check_gradient(inside, rough, at)
    assert right.verdict == "correct" and right.digits is not None and right.digits < 8
    assert check_gradient(lambda x: np.sum(np.sin(x)), rough, at).verdict == "wrong"


def test_where_there_is_no_derivative_the_check_is_undecided_and_says_so() -> None:
    check = check_gradient(lambda x: np.sum(np.abs(x)), np.sign, np.array([0.0, 1.0, -2.0]))
    assert check.verdict == "undecided"
    assert "not differentiable here" in check.reason


def test_a_complex_step_that_is_wrong_convicts_and_acquits_nobody() -> None:
    def through_parts(x: Any) -> Any:
        return np.sum(x.real**2)  # analytic to the eye, and its complex step is zero

    at = np.array([1.0, 2.0, 3.0])
    assert check_gradient(through_parts, lambda x: 2 * x, at).verdict == "correct"
    assert check_gradient(through_parts, lambda x: 0 * x, at).verdict == "wrong"


def test_the_same_seed_gives_the_same_check() -> None:
    case = faulty(Arrays(), 10, "scaled by 1.00001")
    first, second = checked(case, seed=5), checked(case, seed=5)
    assert first.evidence == second.evidence and first.evaluations == second.evaluations
