"""Activity perturbation: its variance by the formula, on networks of every kind, and far below the weights'.

Equivalence within 5 % (two one-sided tests, false once in a hundred), with standard errors below 2 %.
"""

import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.claims import Unbiased
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, mean_test, standard_error
from gradmark.nodes import nodes_of
from gradmark.problem import Problem, at_draw
from tests.methods.cases import CASES, assert_like, flat, reference, relative_error

MARGIN, LARGEST_ERROR, FALSE_ALARM = 0.05, 0.02, 1e-6
FOURTH = {"gaussian": 3.0, "rademacher": 1.0}
DENSE: dict[str, Any] = {"widths": (5, 6, 4, 3), "data": "synthetic", "batch": 5, "loss": "mse"}
HIDDEN: dict[str, Any] = {"data": "synthetic", "inputs": 3, "outputs": 2, "width": 3, "batch": 4}
NETWORKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "dense": ("mlp", DENSE, "gaussian"),
    "dense, signs": ("mlp", DENSE, "rademacher"),
    "scales move themselves": ("resnet_mlp", {**HIDDEN, "blocks": 1, "normalisation": "layer"}, "rademacher"),
    "coupled rows": ("deep_mlp", {**HIDDEN, "depth": 2, "normalisation": "batch"}, "gaussian"),
    "recurrent": ("lstm", {"length": 3, "hidden": 3, "batch": 4}, "rademacher"),
}


def factor_of(method: Any, problem: Problem, exact: Any) -> float:
    claimed = method.claims.exactness
    assert isinstance(claimed, Unbiased)
    return claimed.factor(problem, exact)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_measured_mean_and_variance_are_those_of_the_claim(network: str) -> None:
    name, sizes, law = NETWORKS[network]
    problem = gradmark.get_problem(name, **sizes)
    assert (len(nodes_of(problem).others) > 0) == (network in ("scales move themselves", "coupled rows"))
    method, exact = gradmark.get_method("activity_perturbation", law=law), reference(problem)
    g, function = flat(exact).astype(float), method.prepare(problem)
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(1200)])
    assert mean_test(found @ g / (g @ g), 1.0).p_value > FALSE_ALARM
    square = np.sum((found - g) ** 2, axis=1) / (g @ g)
    ratio = square / (factor_of(method, problem, exact) / method.directions)
    assert standard_error(ratio) < LARGEST_ERROR
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, MARGIN)


@pytest.mark.parametrize("law", FOURTH)
def test_of_dense_layers_the_claim_is_the_formula_of_the_paper(law: str) -> None:
    """sum over l and b of (|h|^2 + 1) (n |S_b|^2 + (m - 2) |S_l,b|^2), by a delta recursion of its own."""
    problem = gradmark.get_problem("mlp", **DENSE)
    p, arrays, layers = problem.parameters, problem.default_draw.arrays, (0, 2, 4)
    h = [arrays["inputs"]]
    for layer in layers:
        z = h[-1] @ p[f"layers.{layer}.weight"].T + p[f"layers.{layer}.bias"]
        h.append(np.tanh(z) if layer < 4 else z)
    s = [(h[-1] - arrays["targets"]) / len(z)]
    for layer, below in ((4, h[2]), (2, h[1])):
        s.insert(0, (s[0] @ p[f"layers.{layer}.weight"]) * (1 - below**2))
    whole = sum(np.sum(each**2, axis=1) for each in s)
    expected = sum(
        float((np.sum(x**2, axis=1) + 1) @ (each.shape[1] * whole + (FOURTH[law] - 2) * np.sum(each**2, 1)))
        for x, each in zip(h, s, strict=False)
    )
    method, exact = gradmark.get_method("activity_perturbation", law=law), reference(problem)
    # A few hundred terms of one sign, or nearly, each right to some ten roundings.
    found = factor_of(method, problem, exact) * float(np.sum(flat(exact) ** 2))
    assert found == pytest.approx(expected, rel=1e3 * Arrays().epsilon)


def test_one_node_for_each_row_moved_by_signs_is_the_gradient() -> None:
    """(S u) u = S where u^2 = 1: a claim of no variance at all, which the judge holds it to."""
    problem = CASES["logistic regression"](Arrays())
    method, exact = gradmark.get_method("activity_perturbation", law="rademacher"), reference(problem)
    assert factor_of(method, problem, exact) == 0.0
    found = method.prepare(problem)(problem.parameters, 4).gradient
    assert relative_error(found, exact) <= 64 * Arrays().epsilon
    # (S u) u = S u^2 otherwise, and the square of u^2 is 3 on average.
    assert factor_of(gradmark.get_method("activity_perturbation"), problem, exact) > 0.1


def test_at_ten_thousand_weights_the_variance_is_less_than_a_fortieth_of_weight_perturbation() -> None:
    widths = (16, 64, 64, 64, 10)
    for seed in range(3):
        problem = gradmark.get_problem("mlp", widths=widths, data="synthetic", loss="mse", seed=seed)
        exact = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
        for law in FOURTH:
            weights = gradmark.get_method("forward_gradient", law=law)
            nodes = gradmark.get_method("activity_perturbation", law=law)
            assert factor_of(weights, problem, exact) > 40 * factor_of(nodes, problem, exact)


@pytest.mark.parametrize(
    ("backend", "device", "dtype"),
    [
        ("torch", "cpu", "float64"),
        ("torch", "cpu", "bfloat16"),
        ("jax", "cpu", "float64"),
        ("array_api_strict", "device1", "float64"),
    ],
)
def test_every_backend_sees_the_same_moves(backend: str, device: str, dtype: str) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed here")
    method = gradmark.get_method("activity_perturbation", directions=4)
    there = CASES["mlp tanh cross_entropy"](Arrays(backend, device, dtype))
    here = there.to(backend="numpy", device="cpu", dtype="float64" if dtype == "float64" else "float32")
    a, b = (method.prepare(problem)(problem.parameters, 7) for problem in (here, there))
    assert_like(b.gradient, there.parameters)
    assert (b.work.forward, b.work.tangent, b.work.declared) == (1, 4, backend == "jax")
    # Every number is a sum over rows of products of slopes with what is known to the dtype.
    slack = 64 * there.arrays.epsilon * math.sqrt(there.default_draw.count)
    assert relative_error(b.gradient, a.gradient) <= slack


def test_fewer_rows_are_those_of_a_problem_of_so_many() -> None:
    problem = gradmark.get_problem("mlp", **DENSE)
    rows, method = problem.default_draw.rows(1, 4), gradmark.get_method("activity_perturbation")
    few = method.prepare(problem)(problem.parameters, 2, draw=rows)
    built = at_draw(problem, rows)
    assert relative_error(few.gradient, method.prepare(built)(built.parameters, 2).gradient) == 0
    assert few.work.tangent == 16 * 3 / 5


def test_nodes_that_are_parameters_themselves_are_estimated_too() -> None:
    """A problem opened before has the offsets among its parameters, whose gradient is S itself."""
    problem = gradmark.get_problem("mlp", **DENSE).opened("nodes")
    method, exact = gradmark.get_method("activity_perturbation"), reference(problem)
    g, function = flat(exact).astype(float), method.prepare(problem)
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(600)])
    ratio = np.sum((found - g) ** 2, axis=1) / (g @ g) / (factor_of(method, problem, exact) / 16)
    assert mean_test(ratio, 1.0).p_value > FALSE_ALARM and standard_error(ratio) < LARGEST_ERROR


def test_a_function_without_layers_is_refused_in_words() -> None:
    reason = gradmark.get_method("activity_perturbation").supports(gradmark.get_problem("quadratic"))
    assert reason == "quadratic has no layers, whose nodes could be moved"
