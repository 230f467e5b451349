"""What methods compute beside the gradient, against complex steps: J of the outputs, H of the gradient."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark import passes
from gradmark.arrays import Arrays, epsilon, installed, to_numpy
from gradmark.claims import Exact
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import ravel
from gradmark.problem import Problem
from gradmark.quantities import DIRECTED, hessian_matrix, jacobian_matrix, named_arrays, shapes_of
from gradmark.work import counting
from tests.methods.cases import COMPLEX_STEP, assert_like

MLP: dict[str, Any] = {"data": "synthetic", "batch": 4, "seed": 3}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("mlp", {**MLP, "widths": (3, 4, 2)}),
    "convnet": ("convnet", {**MLP, "channels": (2,), "size": 4, "hidden": (), "outputs": 2, "batch": 2}),
    "vector_map": ("vector_map", {"inputs": 4, "outputs": 3, "width": 5}),
    "rosenbrock": ("rosenbrock", {"size": 5}),
}
# JAX compiles for every case, so it is given the smallest of a kind.
PLACES = {
    "numpy float64": (Arrays(), tuple(CASES)),
    "numpy float32": (Arrays(dtype="float32"), ("mlp", "vector_map")),
    "torch float64": (Arrays("torch"), tuple(CASES)),
    "torch float32": (Arrays("torch", dtype="float32"), ("mlp", "rosenbrock")),
    **({"jax float64": (Arrays("jax"), ("vector_map", "rosenbrock"))} if installed("jax") else {}),
    **({"strict": (Arrays("array_api_strict"), ("vector_map",))} if installed("array_api_strict") else {}),
}
METHODS = [n for n in gradmark.list_methods() if gradmark.get_method(n).claims.wants != {"gradient"}]
WANTS = [(name, want) for name in METHODS for want in sorted(gradmark.get_method(name).claims.wants)]
ASKED = [(name, want) for name, want in WANTS if want != "gradient"]
# Numbers that are added up on the way of one result, there and back, and once more for second derivatives.
ROUNDINGS = 400


def build(case: str, arrays: Arrays) -> Problem:
    name, sizes = CASES[case]
    return gradmark.get_problem(name, **sizes, backend=arrays.backend, dtype=arrays.dtype)


@cache
def derivatives(case: str, dtype: str, rows: int | None = None) -> tuple[Any, Any]:
    """J and H as longdouble matrices, at the numbers that are rounded to `dtype`."""
    exact = build(case, Arrays(dtype=dtype)).to(dtype="longdouble")
    draw = exact.default_draw if rows is None else exact.default_draw.rows(0, rows)
    point, unravel = ravel(exact.parameters)
    jacobian, hessian = [], []
    for index in range(point.shape[0]):
        moved = point + 0j
        moved[index] += 1j * COMPLEX_STEP
        at = unravel(moved)
        jacobian.append(np.ravel(np.imag(exact.outputs(at, draw)) / COMPLEX_STEP))
        hessian.append(np.imag(ravel(_gradient(exact, at, draw))[0]) / COMPLEX_STEP)
    return np.stack(jacobian, axis=1), np.stack(hessian, axis=1)


def _gradient(problem: Problem, at: Any, draw: Draw) -> Any:
    """By the closed form, else by the layers' pullbacks, which are tested one by one."""
    if problem.closed_form is not None:
        return problem.closed_form(at, draw)
    return passes.pullback(problem, at, draw, passes.forward(problem, at, draw))


def directions(problem: Problem, draw: Draw | None = None) -> tuple[dict[str, Any], Any]:
    """v as the parameters and w as the outputs: odd multiples of 1/8, which no dtype rounds."""
    random, arrays = np.random.default_rng(5), problem.arrays
    outputs = problem.outputs(problem.parameters, draw)
    v = {
        n: arrays.array((2 * random.integers(-4, 4, x.shape) + 1) / 8) for n, x in problem.parameters.items()
    }
    return v, arrays.array((2 * random.integers(-4, 4, outputs.shape) + 1) / 8)


def flat(problem: Problem, want: str, result: Any) -> Any:
    if want == "jvp":
        return np.ravel(to_numpy(result))
    if want in ("vjp", "hvp"):
        return to_numpy(ravel(result, problem.arrays.xp)[0])
    matrix: Callable[[Problem, Any], Any] = jacobian_matrix if want == "jacobian" else hessian_matrix
    return to_numpy(matrix(problem, result))


def wanted(want: str, jacobian: Any, hessian: Any, v: Any, w: Any) -> Any:
    v = np.concatenate([np.ravel(to_numpy(array)) for array in v.values()])
    found = {
        "jvp": lambda: jacobian @ v,
        "vjp": lambda: jacobian.T @ np.ravel(to_numpy(w)),
        "jacobian": lambda: jacobian,
        "hvp": lambda: hessian @ v,
        "hessian": lambda: hessian,
    }
    return found[want]()


def tolerance(name: str, dtype: str) -> float:
    if gradmark.get_method(name).claims.exactness == Exact():
        return float(4 * np.sqrt(ROUNDINGS) * epsilon(dtype) / 2)
    # A difference of order p at its best step, as in test_finite_differences.
    order = gradmark.get_method(name).claims.exactness.order
    return float(50 * epsilon(dtype) ** (order / (order + 1)))


def asked(name: str, problem: Problem, want: str, draw: Draw | None = None) -> Any:
    v, w = directions(problem, draw)
    along = (w if want == "vjp" else v) if want in DIRECTED else None
    return gradmark.get_method(name).prepare(problem, want)(problem.parameters, draw=draw, direction=along)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "want"), ASKED)
def test_a_quantity_is_what_complex_steps_say(name: str, want: str, place: str) -> None:
    arrays, cases = PLACES[place]
    method = gradmark.get_method(name)
    for case in cases:
        problem = build(case, arrays)
        if method.supports(problem, want) is not None:
            continue
        found = asked(name, problem, want)
        exact = wanted(want, *derivatives(case, arrays.dtype), *directions(problem))
        error = np.linalg.norm(flat(problem, want, found.result) - exact) / np.linalg.norm(exact)
        assert error <= tolerance(name, arrays.dtype), f"{case}: {error:.1e}"
        assert_form(problem, want, found)


def assert_form(problem: Problem, want: str, found: Any) -> None:
    """Shapes, names in order, dtype and device; and the loss or the outputs beside it, where it has them."""
    x, outputs = problem.parameters, problem.outputs(problem.parameters)
    wide = {"jvp": (), "vjp": (), "hvp": (), "jacobian": outputs.shape}
    if want == "jvp":
        assert_like({"": found.result}, {"": outputs})
    elif want == "hessian":
        assert list(found.result) == list(x)
        for one, row in found.result.items():
            assert_like(
                row, {n: problem.arrays.zeros((*x[one].shape, *other.shape)) for n, other in x.items()}
            )
    else:
        assert_like(
            found.result, {n: problem.arrays.zeros((*wide[want], *each.shape)) for n, each in x.items()}
        )
    if found.value is not None:
        beside = outputs if want in ("jvp", "vjp", "jacobian") else problem.loss(problem.parameters)
        slack = ROUNDINGS * problem.arrays.epsilon
        np.testing.assert_allclose(to_numpy(found.value), to_numpy(beside), rtol=slack, atol=slack)


@pytest.mark.parametrize(("name", "want"), ASKED)
def test_fewer_rows_are_taken_and_counted_as_what_they_are(name: str, want: str) -> None:
    method, rows = gradmark.get_method(name), 3
    problem = build("mlp", Arrays("torch" if method.supports(build("mlp", Arrays()), want) else "numpy"))
    if method.supports(problem, want) is not None:
        assert method.claims.backends == {"jax"}  # which compiles anew, and is asked by the judge
        return
    draw = problem.default_draw.rows(0, rows)
    found = asked(name, problem, want, draw)
    exact = wanted(want, *derivatives("mlp", "float64", rows), *directions(problem, draw))
    error = np.linalg.norm(flat(problem, want, found.result) - exact) / np.linalg.norm(exact)
    assert error <= tolerance(name, "float64")
    with counting() as work:
        again = asked(name, problem, want, draw)
    counted, share = work.total(), rows / problem.default_draw.count
    assert (counted.forward, counted.tangent, counted.pullback) == (
        again.work.forward,
        again.work.tangent,
        again.work.pullback,
    )
    outputs, size = rows * 2, 3 * 4 + 4 + 4 * 2 + 2
    assert again.work.passes == pytest.approx(share * PASSES[name][want](size, outputs))


# Forward passes, tangents and pullbacks over all rows, from P and m; the network has four arrays.
REVERSE: dict[str, Callable[[int, int], int]] = {
    "vjp": lambda size, outputs: 2,
    "jacobian": lambda size, outputs: 1 + outputs,
    "hvp": lambda size, outputs: 4,
    "hessian": lambda size, outputs: 2 + 2 * size,
}
FORWARD: dict[str, Callable[[int, int], int]] = {
    "jvp": lambda size, outputs: 2,
    "jacobian": lambda size, outputs: 4 + size,
    "hvp": lambda size, outputs: 4,
    "hessian": lambda size, outputs: 8 + 2 * size,
}
ONE_SIDED: dict[str, Callable[[int, int], int]] = {
    "jvp": lambda size, outputs: 2,
    "jacobian": lambda size, outputs: 1 + size,
}
PASSES: dict[str, dict[str, Callable[[int, int], int]]] = {
    "backprop": REVERSE,
    "autograd": REVERSE,
    "func_grad": REVERSE,
    "jvp": FORWARD,
    "dual_numbers": FORWARD,
    "tangent": {**FORWARD, "jacobian": lambda size, outputs: 1 + size},
    "forward_ad": {**FORWARD, "jacobian": lambda size, outputs: 2 * size},
    "forward_difference": ONE_SIDED,
    "backward_difference": ONE_SIDED,
    "central_difference": {"jvp": lambda size, outputs: 2, "jacobian": lambda size, outputs: 2 * size},
    "stencil_difference": {"jvp": lambda size, outputs: 4, "jacobian": lambda size, outputs: 4 * size},
    # Five of them ask whether the outputs are analytic.
    "complex_step": {"jvp": lambda size, outputs: 1 + 5, "jacobian": lambda size, outputs: size + 5},
    "gradient_difference": {
        "hvp": lambda size, outputs: 4,
        "hessian": lambda size, outputs: 4 * size,
    },
}


def test_forward_and_reverse_mode_are_each_others_transpose_and_the_hessian_its_own() -> None:
    for backend, forward, reverse in (("numpy", "tangent", "backprop"), ("torch", "jvp", "autograd")):
        problem = build("mlp", Arrays(backend))
        v, w = directions(problem)
        pushed, pulled = (
            asked(name, problem, want).result for name, want in ((forward, "jvp"), (reverse, "vjp"))
        )
        here = float((pushed * w).sum())
        there = sum(float((pulled[name] * v[name]).sum()) for name in v)
        assert here == pytest.approx(there, rel=tolerance(forward, "float64"))
    for name in ("autograd", "func_grad", "jvp"):
        found = flat(problem, "hessian", asked(name, problem, "hessian").result)
        slack = tolerance(name, "float64") * np.linalg.norm(found)
        assert np.linalg.norm(found - found.T) <= slack


@pytest.mark.parametrize("place", [place for place in PLACES if place.endswith("64")])
@pytest.mark.parametrize(("name", "want"), [(name, want) for name, want in ASKED if want in DIRECTED])
def test_a_direction_that_does_not_fit_is_answered_with_one_sentence(
    name: str, want: str, place: str
) -> None:
    problem, method = build("vector_map", PLACES[place][0]), gradmark.get_method(name)
    if method.supports(problem, want) is not None:
        return
    function, zeros = method.prepare(problem, want), problem.arrays.zeros
    short = zeros((1, 2))
    cases = [(None, "give `direction=`"), ("up", "must (be an array|map)")]
    if want == "vjp":
        cases += [(short, r"has shape \(1, 2\), and the outputs have \(1, 3\)"), ({"inputs": short}, "array")]
    else:
        cases += [(short, "must map"), ({"inputs": short}, "another shape than `inputs`")]
        cases += [({"input": zeros((1, 4))}, "must have the parameters' names")]
    for direction, message in cases:
        with pytest.raises(UsageError, match=message):
            function(problem.parameters, direction=direction)


@pytest.mark.parametrize("backend", ["torch", *(["jax"] if installed("jax") else [])])
@pytest.mark.parametrize(("name", "want"), ASKED)
def test_what_the_loss_does_not_read_and_what_is_linear_have_derivatives_of_zero(
    name: str, want: str, backend: str
) -> None:
    arrays = Arrays(backend)
    problem = gradmark.from_function(
        lambda p: (p["read"] * 3).sum(), {"read": arrays.array([1.0, 2.0]), "unread": arrays.array([4.0])}
    )
    if gradmark.get_method(name).supports(problem, want) is not None:
        return
    v = problem.parameters
    along = {"jvp": v, "hvp": v, "vjp": arrays.array(2.0)}.get(want)
    found = gradmark.get_method(name).prepare(problem, want)(problem.parameters, direction=along).result
    exact = {"jvp": [9], "vjp": [6, 6, 0], "jacobian": [[3, 3, 0]], "hvp": [0] * 3, "hessian": [[0] * 3] * 3}
    # Differences divide what rounding left of a step by it.
    slack = (
        0 if gradmark.get_method(name).claims.family != "finite-difference" else tolerance(name, "float64")
    )
    np.testing.assert_allclose(flat(problem, want, found), exact[want], rtol=slack, atol=0)


def test_differences_of_gradients_err_by_the_square_of_the_step() -> None:
    problem = build("mlp", Arrays())
    v, w = directions(problem)
    exact, errors, sizes = (
        wanted("hvp", *derivatives("mlp", "float64"), v, w),
        [],
        np.geomspace(1e-3, 1e-2, 5),
    )
    for step in sizes:
        method = gradmark.get_method("gradient_difference", step=float(step))
        found = method.prepare(problem, "hvp")(problem.parameters, direction=v).result
        errors.append(np.linalg.norm(flat(problem, "hvp", found) - exact))
    slope = np.polyfit(np.log(sizes), np.log(np.array(errors, dtype=float)), 1)[0]
    assert slope == pytest.approx(gradmark.get_method("gradient_difference").claims.exactness.order, abs=0.05)


def test_a_direction_of_zero_has_a_derivative_of_zero() -> None:
    problem = build("mlp", Arrays())
    still = {name: 0 * array for name, array in problem.parameters.items()}
    for name in (
        "gradient_difference",
        "tangent",
        "forward_difference",
        "central_difference",
        "complex_step",
    ):
        want = "hvp" if name == "gradient_difference" else "jvp"
        found = gradmark.get_method(name).prepare(problem, want)(problem.parameters, direction=still)
        assert not np.any(flat(problem, want, found.result))


def test_a_method_that_computes_no_gradient_says_so() -> None:
    problem, method = build("mlp", Arrays()), gradmark.get_method("gradient_difference")
    assert method.supports(problem) == "it computes hessian, hvp, not gradient"
    with pytest.raises(UsageError, match="it computes hessian, hvp, not gradient"):
        method.prepare(problem)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_direction_of_other_numbers_than_the_parameters_is_refused(backend: str) -> None:
    import torch

    problem = build("vector_map", Arrays(backend))
    other = np.ones if backend == "torch" else torch.ones
    for name, want in (("backprop", "vjp"), ("tangent", "jvp"), ("gradient_difference", "hvp")):
        function = gradmark.get_method(name).prepare(problem, want)
        shape = (1, 3) if want == "vjp" else (1, 4)
        strange = [
            problem.arrays.integers(np.ones(shape)),
            Arrays(backend, dtype="float32").array(np.ones(shape)),
            np.ones(shape) * 1j,
            other(shape),
            torch.ones(shape, dtype=torch.float64, device="meta"),
        ]
        for array in strange:
            with pytest.raises(UsageError, match=f"the problem is {backend} float64 on cpu: convert it"):
                function(problem.parameters, direction=array if want == "vjp" else {"inputs": array})


@pytest.mark.parametrize(("name", "want"), ASKED)
def test_parameters_and_directions_may_come_in_any_order_of_names(name: str, want: str) -> None:
    method = gradmark.get_method(name)
    problem = build("mlp", Arrays("torch" if method.supports(build("mlp", Arrays()), want) else "numpy"))
    if want not in DIRECTED or method.supports(problem, want) is not None:
        return
    v, w = directions(problem)
    turned = dict(reversed(problem.parameters.items()))
    function, along = method.prepare(problem, want), w if want == "vjp" else dict(reversed(v.items()))
    wanted_array = flat(problem, want, asked(name, problem, want).result)
    found = function(turned, direction=along).result
    np.testing.assert_array_equal(flat(problem, want, found), wanted_array)


@pytest.mark.parametrize("backend", ["numpy", "torch", *(["jax"] if installed("jax") else [])])
@pytest.mark.parametrize(("name", "want"), WANTS)
def test_parameters_of_no_numbers_have_derivatives_of_none(name: str, want: str, backend: str) -> None:
    arrays = Arrays(backend)
    problem = gradmark.from_function(
        lambda p: (p["a"] ** 2).sum() + p["none"].sum(),
        {"a": arrays.array([1.0, 2.0]), "none": arrays.zeros((0, 3))},
    )
    if gradmark.get_method(name).supports(problem, want) is not None:
        return
    along = {"jvp": problem.parameters, "hvp": problem.parameters, "vjp": arrays.array(1.0)}.get(want)
    found = gradmark.get_method(name).prepare(problem, want)(problem.parameters, direction=along).result
    form = {n: tuple(x.shape) for n, x in named_arrays(found).items()}
    assert form == shapes_of(problem, want, ())
