"""References of jvp, vjp, Jacobian, hvp and Hessian: as near to the truth as they say."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Want
from gradmark.errors import UsageError
from gradmark.measuring.norms import norm
from gradmark.reference import NoReference, Reference, quantity_reference
from gradmark.run.direction import direction_of

NETWORK: dict[str, Any] = {"data": "synthetic", "widths": (3, 3, 2), "batch": 3, "loss": "mse"}


def reference(problem: Any, want: Want, direction: Any = None) -> Reference:
    given = direction_of(problem, want, 0) if direction is None else direction
    return quantity_reference(problem, want, given)


def hessian_of_rosenbrock(x: Any) -> Any:
    """Of the sum over i of 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2."""
    x, n = np.asarray(x, np.longdouble), len(x)
    found = np.zeros((n, n), np.longdouble)
    for i in range(n - 1):
        found[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        found[i, i + 1] -= 400 * x[i]
        found[i + 1, i] -= 400 * x[i]
        found[i + 1, i + 1] += 200
    return found


def test_a_hessian_and_its_product_are_those_of_the_formula_within_what_they_say() -> None:
    problem = gradmark.get_problem("rosenbrock", size=5)
    true, v = hessian_of_rosenbrock(problem.parameters["x"]), direction_of(problem, "hvp", 0)
    for want, name, expected in (("hessian", "x, x", true), ("hvp", "x", true @ v["x"])):
        found = reference(problem, want)  # type: ignore[arg-type]
        assert norm(found.gradient[name] - expected) <= found.uncertainty[name] < 1e-13 * norm(expected)


@pytest.mark.parametrize("place", [{}, {"backend": "torch", "dtype": "float32"}])
def test_the_jacobian_of_a_linear_model_is_its_data(place: dict[str, str]) -> None:
    problem = gradmark.get_problem("logistic_regression", batch=4, **place)
    inputs = np.asarray(problem.default_draw.arrays["inputs"], np.longdouble)
    found, (weight, bias) = reference(problem, "jacobian"), list(problem.parameters)
    assert norm(found.gradient[weight] - inputs[:, None, None, :]) <= found.uncertainty[weight]
    assert found.gradient[bias].shape == (4, 1, 1) and np.all(found.gradient[bias] == 1)
    v, w = direction_of(problem, "jvp", 0), direction_of(problem, "vjp", 0)
    along = reference(problem, "jvp", v).gradient["outputs"][:, 0]
    wide = {name: np.asarray(array, np.longdouble) for name, array in v.items()}
    assert norm(along - inputs @ wide[weight][0] - wide[bias]) < 1e-14 * norm(along)
    back = reference(problem, "vjp", w).gradient[weight]
    assert norm(back[0] - np.asarray(w, np.longdouble)[:, 0] @ inputs) < 1e-14 * norm(back)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_ways_to_a_quantity_agree_within_their_uncertainties(activation: str) -> None:
    from gradmark.reference import first_order, second_order
    from gradmark.reference.asked import asked
    from gradmark.reference.point import widest_point

    problem = gradmark.get_problem("mlp", **NETWORK, activation=activation)
    ways: dict[Want, tuple[Any, Any]] = {
        "vjp": (first_order.by_complex_step, (first_order.by_pullback, first_order.by_differences)),
        "hvp": (second_order.by_complex_step, (second_order.by_pullback, second_order.by_differences)),
    }
    for want, (first, others) in ways.items():
        question = asked(widest_point(problem, None, None), want, direction_of(problem, want, 0))
        best = first(question)
        for other in others:
            found = other(question)
            for name, array in best.gradient.items():
                known = best.uncertainty[name] + found.uncertainty[name]
                assert norm(found.gradient[name] - array) <= known


def test_what_is_not_analytic_is_found_out_and_real_differences_answer() -> None:
    problem = gradmark.from_function(lambda x: np.sum(np.abs(x) ** 3), np.array([0.5, -1.5]))
    first, second = reference(problem, "jacobian"), reference(problem, "hessian")
    assert first.name.startswith("extrapolated differences") and second.name.startswith("second differences")
    assert norm(first.gradient["x"] - np.array([0.75, -6.75])) <= first.uncertainty["x"] < 1e-12
    assert norm(second.gradient["x, x"] - np.diag([3.0, 9.0])) <= second.uncertainty["x, x"] < 1e-9


def test_rounding_in_float32_covers_a_computation_in_float32_and_no_gross_fault() -> None:
    torch = pytest.importorskip("torch")
    problem = gradmark.get_problem("mlp", **NETWORK, activation="gelu", backend="torch", dtype="float32")
    v, found = direction_of(problem, "hvp", 0), reference(problem, "hvp")
    _, given = torch.func.jvp(torch.func.grad(problem.loss), (problem.parameters,), (v,))
    for name, bound in found.rounding_in("float32").items():
        assert norm(np.asarray(given[name], np.longdouble) - found.gradient[name]) <= bound
        assert bound < 1e-4 * norm(found.gradient[name])


def test_what_is_too_large_says_so_in_a_sentence() -> None:
    with pytest.raises(NoReference, match=r"a hessian of 25000000 numbers is too large for a reference"):
        reference(gradmark.get_problem("quadratic", size=5000), "hessian")
    with pytest.raises(NoReference, match="evaluations would take about"):
        reference(gradmark.get_problem("mlp", widths=(64, 14, 10), batch=32), "hessian")


@pytest.mark.parametrize("want", ["jvp", "vjp", "hvp"])
def test_a_direction_of_the_wrong_form_is_refused(want: Want) -> None:
    problem = gradmark.get_problem("mlp", **NETWORK)
    with pytest.raises(UsageError, match="direction"):
        quantity_reference(problem, want)
    with pytest.raises(UsageError, match=r"shape|map"):
        quantity_reference(problem, want, np.zeros(7))


def test_a_direction_of_zeros_has_a_derivative_of_zero() -> None:
    problem = gradmark.get_problem("rosenbrock", size=3)
    for want in ("jvp", "hvp"):
        found = quantity_reference(problem, want, {"x": np.zeros(3)})
        assert all(np.all(array == 0) for array in found.gradient.values())
