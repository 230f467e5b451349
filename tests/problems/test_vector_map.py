"""A map of n inputs to m outputs with constant matrices: its formulas, its layers, and its crossover."""

import pickle
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, epsilon, installed, to_numpy
from gradmark.errors import UsageError
from gradmark.work import counting

SIZES: dict[str, Any] = {"inputs": 5, "outputs": 3, "width": 4}
PLACES = [Arrays(dtype=dtype) for dtype in ("float64", "float32", "longdouble")]
PLACES += [Arrays("torch", dtype=dtype) for dtype in ("float64", "float32", "bfloat16", "float16")]
PLACES += [Arrays(backend) for backend in ("jax", "array_api_strict") if installed(backend)]
# Roundings on the way of one number: sums over 5, 4, 3 and 4 terms, two functions.
ROUNDINGS = 4 * 20


def numbers(array: Any) -> Any:
    return to_numpy(array).astype(np.longdouble)


def matrices(problem: Any) -> tuple[Any, Any]:
    return tuple(layer.layer.matrix for layer in problem.layers if hasattr(layer.layer, "matrix"))


@pytest.mark.parametrize("arrays", PLACES, ids=lambda arrays: f"{arrays.backend} {arrays.dtype}")
def test_outputs_loss_and_gradient_are_those_of_the_formula(arrays: Arrays) -> None:
    problem = gradmark.get_problem("vector_map", **SIZES, backend=arrays.backend, dtype=arrays.dtype)
    w, v = matrices(problem)
    x, target = numbers(problem.parameters["inputs"])[0], numbers(problem.default_draw.arrays["targets"])[0]
    s = np.tanh(w @ x)
    y, slack = v @ s, ROUNDINGS * epsilon(arrays.dtype)
    np.testing.assert_allclose(numbers(problem.outputs(problem.parameters))[0], y, atol=slack)
    loss = float(np.sum((y - target) ** 2) / 2)
    assert float(problem.loss(problem.parameters)) == pytest.approx(loss, rel=slack)
    wanted = (v * (1 - s * s) @ w).T @ (y - target)
    for gradient in (problem.closed_form(problem.parameters, problem.default_draw), _backprop(problem)):
        error = np.linalg.norm(numbers(gradient["inputs"])[0] - wanted)
        assert error <= slack * np.linalg.norm(wanted)


def _backprop(problem: Any) -> Any:
    return gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient


def test_no_dtype_rounds_the_matrices() -> None:
    problem = gradmark.get_problem("vector_map", inputs=70, outputs=30, width=40)
    for matrix in matrices(problem):
        rounded = to_numpy(Arrays("torch", dtype="bfloat16").array(matrix))
        assert np.array_equal(rounded, matrix)
        # Pre-activations of normal inputs then have a size of about 1, whatever the fan-in is.
        assert 0.5 < np.sqrt(np.mean(np.sum(matrix**2, axis=1))) < 2


def test_a_population_of_points_has_a_loss_each() -> None:
    problem = gradmark.get_problem("vector_map", **SIZES)
    points = np.random.default_rng(0).normal(size=(4, 1, 5))
    together = problem.loss({"inputs": points})
    each = [problem.loss({"inputs": point}) for point in points]
    np.testing.assert_allclose(together, each, rtol=ROUNDINGS * epsilon("float64"))


def test_a_copy_on_another_dtype_or_in_another_process_is_the_same_map() -> None:
    problem = gradmark.get_problem("vector_map", **SIZES, dtype="float32")
    again = pickle.loads(pickle.dumps(problem))
    assert float(again.loss(again.parameters)) == float(problem.loss(problem.parameters))
    wide = problem.to(dtype="float64")
    loss = float(wide.loss(wide.parameters))
    assert float(problem.loss(problem.parameters)) == pytest.approx(loss, rel=ROUNDINGS * epsilon("float32"))
    assert problem.opened("inputs") is problem


def test_jacobians_by_forward_and_by_reverse_mode_cross_where_inputs_and_outputs_are_as_many() -> None:
    """In counted work: one tangent for each input, one pullback for each output, of equal size."""
    for inputs, outputs in ((3, 6), (4, 4), (6, 3)):
        problem = gradmark.get_problem("vector_map", inputs=inputs, outputs=outputs, width=5)
        passes = {}
        for name in ("tangent", "backprop"):
            function = gradmark.get_method(name).prepare(problem, "jacobian")
            with counting() as work:
                function(problem.parameters)
            passes[name] = work.total().passes
        assert passes == {"tangent": 1 + inputs, "backprop": 1 + outputs}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value", [0, -1, 2.5, "3", 10**9])
def test_sizes_that_do_not_fit_are_answered_with_one_sentence(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match="vector_map"):
        gradmark.get_problem("vector_map", **{**SIZES, "width": 10**6, "inputs": 5, name: value})
