"""Which reference is chosen, from which numbers it starts, and when there is none."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from gradmark import from_function, from_torch, get_problem
from gradmark.arrays import to_numpy
from gradmark.measuring.norms import norm
from gradmark.reference import NoReference, best_reference
from gradmark.reference.point import longdouble_is_wider
from tests.reference.truths import TRUTHS, decimals, distance

WIDE = "longdouble" if longdouble_is_wider() else "float64"
torch.manual_seed(0)
MODULE = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
INPUTS, TARGETS = torch.randn(16, 8), torch.randn(16, 3)


def half_square(outputs: Any, targets: Any) -> Any:
    return ((outputs - targets) ** 2).mean()


def cube(x: Any) -> Any:
    """x^3 by |x|, which no complex number survives."""
    return np.sum(np.abs(x) ** 3)


def test_a_closed_form_is_preferred() -> None:
    assert best_reference(get_problem("rosenbrock", size=6)).name == f"closed form in {WIDE}"
    assert best_reference(get_problem("logistic_regression")).reads == frozenset()


def test_without_one_it_is_the_complex_step() -> None:
    found = best_reference(get_problem("mlp", widths=(64, 4, 10)))
    assert found.name == f"complex step in {WIDE}"
    assert found.reads == {"loss"}


def test_with_many_parameters_it_is_the_pullback_with_its_witnesses() -> None:
    found = best_reference(get_problem("mlp", widths=(64, 64, 64, 10)))
    assert found.name == f"pullback in {WIDE}"
    assert found.reads == {"pullback"}
    assert any("the complex step along 9 directions" in words for words in found.vouched_by)
    assert any("differences along 2 directions" in words for words in found.vouched_by)


def test_a_pullback_that_the_complex_step_vouches_for_may_judge_reverse_methods_too() -> None:
    problem = get_problem("mlp", widths=(64, 64, 64, 10))
    found = best_reference(problem, independent_of=frozenset({"loss", "pullback"}))
    assert found.name.startswith("pullback")
    assert found.vouched_by[0].startswith("the complex step")
    assert not found.independent_of(frozenset({"pullback"}))


def test_a_torch_module_has_the_complex_step_where_it_carries_complex_numbers() -> None:
    found = best_reference(from_torch(MODULE, half_square, INPUTS, TARGETS))
    assert found.name == "complex step in float64"


def test_else_it_has_its_graph_unless_the_method_reads_that_too() -> None:
    problem = from_torch(MODULE, torch.nn.functional.mse_loss, INPUTS, TARGETS)
    assert best_reference(problem).name == "torch graph in float64"
    independent = best_reference(problem, independent_of=frozenset({"loss", "torch graph"}))
    assert independent.name == "extrapolated differences in float64"
    assert independent.independent_of(frozenset({"torch graph"}))


def test_what_reads_nothing_but_the_loss_shares_nothing_with_a_black_box() -> None:
    assert best_reference(get_problem("mlp", widths=(64, 4, 10))).independent_of(frozenset({"loss"}))


def test_a_function_that_is_not_analytic_has_differences() -> None:
    x = np.random.default_rng(0).standard_normal(8)
    found = best_reference(from_function(cube, x))
    assert found.name == f"extrapolated differences in {WIDE}"
    truth = [3 * number * abs(number) for number in decimals(x)]
    assert distance(found.gradient["x"], truth) <= found.uncertainty["x"]


@pytest.mark.skipif(WIDE == "float64", reason="longdouble is float64 here")
def test_a_function_of_many_parameters_has_the_complex_step_in_float64() -> None:
    x = np.random.default_rng(0).standard_normal(6000)
    found = best_reference(from_function(lambda x: np.sum(x**3), x))
    assert found.name == "complex step in float64"
    assert norm(found.gradient["x"] - 3 * x.astype(np.longdouble) ** 2) <= found.uncertainty["x"]


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
def test_every_backend_has_the_same_reference_to_the_last_bit(backend: str) -> None:
    pytest.importorskip("jax" if backend == "jax" else "array_api_strict")
    one, other = (
        best_reference(get_problem("mlp", widths=(64, 3, 10), backend=name, dtype="float32"))
        for name in ("numpy", backend)
    )
    assert all(np.array_equal(one.gradient[name], other.gradient[name]) for name in one.gradient)


def test_functions_of_torch_and_jax_stay_where_they_are() -> None:
    x = np.linspace(-1, 1, 7)
    for problem in (
        from_function(lambda x: torch.sum(torch.sin(x)), torch.from_numpy(x)),
        from_function(lambda x: jnp.sum(jnp.sin(x)), jnp.asarray(x)),
    ):
        found = best_reference(problem)
        assert found.name == "complex step in float64"
        assert norm(found.gradient["x"] - np.cos(x.astype(np.longdouble))) <= found.uncertainty["x"]


@pytest.mark.parametrize("name", TRUTHS)
def test_a_float32_problem_is_judged_at_its_own_rounded_numbers(name: str) -> None:
    rounded = get_problem(name, size=10, dtype="float32")
    unrounded = get_problem(name, size=10, dtype="float64")
    found = best_reference(rounded)
    assert (
        distance(found.gradient["x"], TRUTHS[name](decimals(rounded.parameters["x"])))
        <= found.uncertainty["x"]
    )
    other = TRUTHS[name](decimals(unrounded.parameters["x"]))
    assert distance(found.gradient["x"], other) > 1e3 * found.uncertainty["x"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_problems_have_a_wide_reference(dtype: str) -> None:
    problem = get_problem("mlp", widths=(64, 3, 10), backend="torch", dtype=dtype)
    found = best_reference(problem)
    assert found.name == f"complex step in {WIDE}"
    same = best_reference(problem.to(dtype="float32"))
    assert all(np.array_equal(found.gradient[name], same.gradient[name]) for name in same.gradient)


def test_other_parameters_and_draws_are_taken_from_any_backend() -> None:
    problem = get_problem("mlp", widths=(64, 3, 10), backend="torch", batch=8)
    moved = {name: array + 0.25 for name, array in problem.parameters.items()}
    draw = problem.draw(5)
    found = best_reference(problem, moved, draw)
    leaves = {name: array.clone().requires_grad_(True) for name, array in moved.items()}
    problem.loss(leaves, draw).backward()
    for name, array in leaves.items():
        assert np.allclose(to_numpy(array.grad), found.gradient[name].astype(float), rtol=1e-12, atol=1e-15)


def test_parameters_come_back_bit_identical() -> None:
    problem = get_problem("mlp", widths=(64, 3, 10))
    before = {name: array.copy() for name, array in problem.parameters.items()}
    best_reference(problem)
    assert all(np.array_equal(before[name], problem.parameters[name]) for name in before)


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (best_reference(get_problem("mlp", widths=(64, 3, 10))) for _ in range(2))
    assert one.uncertainty == other.uncertainty
    assert all(np.array_equal(one.gradient[name], other.gradient[name]) for name in one.gradient)


def test_gradients_have_the_names_and_shapes_of_the_parameters() -> None:
    for problem in (
        get_problem("mlp", widths=(64, 3, 10)),
        get_problem("mlp", widths=(64, 3, 10), batch=4).opened("nodes"),
        get_problem("mlp", widths=(64, 3, 10), batch=4).opened("inputs"),
        from_torch(MODULE, half_square, INPUTS, TARGETS),
    ):
        found = best_reference(problem)
        assert list(found.gradient) == list(found.uncertainty) == list(problem.parameters)
        for name, array in problem.parameters.items():
            assert found.gradient[name].shape == tuple(array.shape)


def test_no_point_outside_the_bounds_is_evaluated() -> None:
    def guarded(x: Any) -> Any:
        assert np.all((np.real(x) >= 0) & (np.real(x) <= 1)), "outside"
        return np.sum(np.abs(x) ** 1.5)

    found = best_reference(from_function(guarded, np.array([0.999, 1e-4, 0.3]), bounds=(0.0, 1.0)))
    assert found.name.startswith("extrapolated differences")
    truth = 1.5 * np.sqrt(np.array([0.999, 1e-4, 0.3], np.longdouble))
    assert norm(found.gradient["x"] - truth) <= found.uncertainty["x"]


def test_on_the_bound_differences_have_no_room_and_say_so() -> None:
    with pytest.raises(NoReference, match="lies on the bound"):
        best_reference(from_function(cube, np.array([0.0, 0.5]), bounds=(0.0, 1.0)))


def test_what_would_take_too_long_is_not_begun() -> None:
    with pytest.raises(
        NoReference, match=r"complex step: 200000 evaluations would take about \d+ s"
    ) as error:
        best_reference(from_function(lambda x: np.sum(np.sin(x)), np.zeros(200_000)))
    for kind in (
        "closed form: the problem states none",
        "pullback: the problem has no layers",
        "differences",
    ):
        assert kind in str(error.value)


def test_where_the_loss_is_not_finite_there_is_no_gradient() -> None:
    problem = from_function(lambda x: np.sum(np.log(x)), np.array([1.0, 2.0]))
    with pytest.raises(NoReference, match="the loss is nan"):
        best_reference(problem, {"x": np.array([-1.0, 2.0])})


def test_a_gradient_of_zero_is_known_to_be_zero() -> None:
    found = best_reference(from_function(lambda x: np.sum(x**2), np.zeros(3)))
    assert np.all(found.gradient["x"] == 0)
    assert found.total_uncertainty == 0.0
