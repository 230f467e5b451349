"""Any function of arrays as a problem, and factories of vector problems."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gradmark
from gradmark import from_function, vector_problem
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.problem import accepts


def cubes(x: Any) -> Any:
    return (x**3).sum()


def test_a_numpy_array_a_list_and_a_number_are_points() -> None:
    for at, shape in ((np.array([1.0, 2.0]), (2,)), ([1, 2], (2,)), (2.0, ()), (np.float64(2.0), ())):
        problem = from_function(cubes, at)
        assert problem.parameters["x"].shape == shape and problem.arrays == Arrays()
        assert float(problem.loss(problem.parameters)) == np.sum(np.asarray(at, float) ** 3)


def test_a_dict_of_arrays_is_a_point() -> None:
    problem = from_function(
        lambda p: p["a"].sum() * p["b"],
        {"a": np.array([1.0, 2.0]), "b": np.float64(3.0)},
        gradient=lambda p: {"a": np.array([p["b"], p["b"]]), "b": p["a"].sum()},
    )
    assert float(problem.loss(problem.parameters)) == 9
    assert problem.closed_form is not None
    found = problem.closed_form(problem.parameters, problem.default_draw)
    np.testing.assert_array_equal(found["a"], [3, 3])
    assert found["b"] == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backend_device_and_dtype_are_those_of_the_point(everywhere: Arrays, dtype: str) -> None:
    arrays = Arrays(everywhere.backend, everywhere.device, dtype)
    problem = from_function(lambda x: arrays.xp.sum(x * x), arrays.array([1.0, 2.0]))
    assert problem.arrays == arrays
    assert float(problem.loss(problem.parameters)) == 5


def test_longdouble_and_bfloat16_points_keep_their_dtype() -> None:
    assert from_function(cubes, np.ones(2, np.longdouble)).arrays.dtype == "longdouble"
    assert from_function(cubes, torch.ones(2, dtype=torch.bfloat16)).arrays.dtype == "bfloat16"


def test_a_torch_function_can_be_differentiated_and_shares_no_graph() -> None:
    at = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    problem = from_function(cubes, 1 * at)
    assert not problem.parameters["x"].requires_grad
    gradient = gradmark.get_method("autograd").prepare(problem)(problem.parameters).gradient
    np.testing.assert_allclose(gradient["x"], [3, 12], rtol=4 * problem.arrays.epsilon)


def test_a_python_number_is_a_loss_too() -> None:
    problem = from_function(lambda x: float(x[0]) ** 2, np.array([3.0], np.float32))
    value = problem.loss(problem.parameters)
    assert value == 9 and value.dtype == np.float32


def test_a_function_moves_to_a_wider_dtype_and_another_library_if_it_can() -> None:
    problem = from_function(cubes, np.array([0.1], np.float32), gradient=lambda x: 3 * x**2)
    wide = problem.to(dtype="longdouble")
    assert wide.loss(wide.parameters) == np.longdouble(np.float32(0.1)) ** 3
    assert accepts(problem, "complex64") and accepts(problem, "longdouble")
    there = problem.to(backend="torch")
    assert there.loss(there.parameters).dtype == torch.float32


@pytest.mark.parametrize(
    ("function", "at", "message"),
    [
        (lambda x: x, np.ones(2), "`function` must return one number; it returned shape (2,)"),
        (lambda x: [1.0, 2.0], np.ones(2), "it returned shape (2,)"),
        (lambda x: np.sum(x) + 1j, np.ones(2), "must return a real floating number, not complex128"),
        (lambda x: np.sum(x) / 0, np.ones(2), "returned inf at the point"),
        (lambda x: np.sum(x) * np.nan, np.ones(2), "returned nan at the point"),
        (cubes, np.array([1, 2]), "must hold real floating numbers, not int64"),
        (cubes, np.array([1j]), "must hold real floating numbers, not complex128"),
        (
            cubes,
            np.ones(2, np.float16),
            "numpy backend does not carry float16: convert it to float32, float64 or longdouble.",
        ),
        (cubes, {}, "`at` holds no arrays"),
        (cubes, "words", "`at` must hold arrays of numbers"),
        (cubes, None, "`at` must hold arrays of numbers"),
        (cubes, [1.0, None], "`at` must hold arrays of numbers, not [1.0, None]"),
        (cubes, [1j], "must hold real floating numbers, not complex128"),
        (cubes, 10**400, "`at` must hold arrays of numbers, not 1000"),
        (cubes, [[1.0], [2.0, 3.0]], "`at` must hold arrays of numbers"),
        (cubes, {"a": np.ones(1), "b": np.ones(1, np.float32)}, "`at` mixes backends, devices or dtypes"),
        (cubes, {"a": np.ones(1), "b": torch.ones(1)}, "a is numpy cpu float64, b is torch cpu float32"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_no_problem_is_said(function: Any, at: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_function(function, at)
    assert message in str(caught.value)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(json_like)
def test_any_point_gives_a_problem_or_a_usage_error(at: Any) -> None:
    try:
        problem = from_function(lambda x: 1.0, at)
    except UsageError:
        return
    assert all(np.asarray(array).dtype == np.float64 for array in problem.parameters.values())


@pytest.mark.parametrize("outside", [-1e-9, 1.5, np.nan])
def test_a_point_outside_of_its_bounds_is_refused_before_anything_is_evaluated(outside: float) -> None:
    def never(p: Any) -> Any:
        raise AssertionError("evaluated outside of its domain")

    at = {"inside": np.array([0.0, 1.0]), "out": np.array([0.5, outside])}
    with pytest.raises(UsageError, match=r"`bounds=\(0.0, 1.0\)` must hold every .*; out has others"):
        from_function(never, at, bounds=(0.0, 1.0))


@vector_problem(
    start=lambda random, size: random.standard_normal(size),
    gradient=lambda xp, x, scale, name: scale * x,
    size=4,
    least_size=2,
    limits={"scale": (0.5, 2.0)},
    smoothness="kinked",
    bounds=(-9.0, 9.0),
)
def bowl(xp: Any, x: Any, scale: float = 1.0, name: str = "bowl") -> Any:
    """f(x) = scale / 2 sum x^2."""
    return 0.5 * scale * xp.sum(x * x, axis=-1)


def test_a_factory_takes_sizes_constants_and_a_place() -> None:
    assert list(inspect.signature(bowl).parameters) == [
        "scale", "name", "size", "backend", "device", "dtype", "seed",
    ]  # fmt: skip
    problem = bowl(scale=2.0, seed=3, dtype="float32")
    assert problem.parameters["x"].shape == (4,) and problem.parameters["x"].dtype == np.float32
    assert (problem.smoothness, problem.bounds, problem.population) == ("kinked", (-9.0, 9.0), True)
    assert str(problem.call) == (
        "bowl(scale=2.0, name='bowl', size=4, backend='numpy', device='cpu', dtype='float32', seed=3)"
    )
    again = bowl(**problem.call.arguments)
    np.testing.assert_array_equal(again.parameters["x"], problem.parameters["x"])
    assert bowl.__doc__ == "f(x) = scale / 2 sum x^2." and bowl.__name__ == "bowl"


def test_the_gradient_of_a_factory_is_its_formula(everywhere: Arrays) -> None:
    problem = bowl(scale=2.0, backend=everywhere.backend, device=everywhere.device)
    assert problem.closed_form is not None
    found = problem.closed_form(problem.parameters, problem.default_draw)["x"]
    np.testing.assert_array_equal(to_numpy(found), 2 * to_numpy(problem.parameters["x"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 1}, "`size=1` must be an integer of at least 2"),
        ({"scale": 3.0}, "`scale=3.0` must be a number from 0.5 to 2"),
        ({"scale": "2"}, "`scale=2` must be a number"),
    ],
)
def test_limits_of_a_factory_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        bowl(**arguments)
    assert message in str(caught.value)
    assert bowl(name=3).loss(bowl().parameters) >= 0  # only numbers have limits
