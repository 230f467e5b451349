"""Moves of all nodes at once: exact where theory says so, with the claimed variance, alike on every path.

Equivalence within 5 % (two one-sided tests, false once in a hundred), with standard errors below 2 %.
"""

import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, mean_test, standard_error
from gradmark.nodes import nodes_of
from gradmark.noise import Members
from methods.evolution.structured import node_moves, nodes_on_chains
from methods.evolution.structured.hadamard_orders import order_from, rows_of
from methods.evolution.structured.patterns import Patterns
from tests.methods.cases import CASES, assert_like, cosine, flat, reference, relative_error

MARGIN, LARGEST_ERROR, FALSE_ALARM = 0.05, 0.02, 1e-6
DENSE: dict[str, Any] = {"widths": (5, 6, 4, 3), "data": "synthetic", "batch": 5, "loss": "mse"}
HIDDEN: dict[str, Any] = {"data": "synthetic", "inputs": 3, "outputs": 2, "width": 3, "batch": 4}
# Scales that move themselves, and rows that are coupled.
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("mlp", DENSE),
    "scales": ("resnet_mlp", {**HIDDEN, "blocks": 1, "normalisation": "layer"}),
    "coupled": ("deep_mlp", {**HIDDEN, "depth": 2, "normalisation": "batch"}),
}
# Of the dense network 13 nodes move, by 16 patterns; 21 is a round and five more.
LAWS: list[tuple[str, str, dict[str, Any]]] = [
    ("node_perturbation", "dense", {"pairs": 6}),
    ("node_perturbation", "dense", {"pairs": 6, "law": "gaussian"}),
    ("hadamard_node_es", "dense", {"pairs": 6}),
    ("hadamard_node_es", "dense", {"pairs": 21}),
    ("hadamard_node_es", "scales", {"pairs": 6}),
    ("hadamard_node_es", "coupled", {"pairs": 6}),
]


def prepared(name: str, problem: Any, **hyper: Any) -> Any:
    return gradmark.get_method(name, **hyper).prepare(problem)


@pytest.fixture
def portable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Prepares a method without the kernel of dense chains."""

    def without(name: str, problem: Any, **hyper: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(node_moves, "chain_kernel", lambda problem: None)
            return prepared(name, problem, **hyper)

    return without


@pytest.mark.parametrize(("name", "network", "hyper"), LAWS)
def test_the_measured_mean_and_variance_are_those_of_the_claim(
    name: str, network: str, hyper: dict[str, Any]
) -> None:
    problem_name, sizes = NETWORKS[network]
    problem = gradmark.get_problem(problem_name, **sizes)
    method, exact = gradmark.get_method(name, **hyper, sigma=1e-4), reference(problem)
    g, function = flat(exact).astype(float), method.prepare(problem)
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(1500)])
    assert mean_test(found @ g / (g @ g), 1.0).p_value > FALSE_ALARM
    law = method.claims.exactness.factor(problem, exact) / hyper["pairs"]
    ratio = np.sum((found - g) ** 2, axis=1) / (g @ g) / law
    assert standard_error(ratio) < LARGEST_ERROR
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, MARGIN)


@pytest.mark.parametrize("network", NETWORKS)
def test_all_patterns_are_the_gradient_up_to_sigma_squared(network: str) -> None:
    name, sizes = NETWORKS[network]
    problem = gradmark.get_problem(name, **sizes)
    exact, sigmas = reference(problem), np.array([2.0**-7, 2.0**-9])
    errors = [
        relative_error(prepared("hadamard_node_es", problem, sigma=s)(problem.parameters).gradient, exact)
        for s in sigmas.tolist()
    ]
    # Even powers of sigma alone: the next one is the fraction sigma^2 of the first, times a few hundred here.
    assert math.log(errors[0] / errors[1]) / math.log(4) == pytest.approx(2, abs=400 * sigmas[0] ** 2)
    whole = prepared("hadamard_node_es", problem)(problem.parameters)
    assert whole.work.forward == 1 + 2 * order_from(nodes_of(problem).directions)
    # sigma is eps^(1/3) / 3 or so: an error of some sigma^2, and rounding of some eps / sigma.
    assert relative_error(whole.gradient, exact) <= 100 * Arrays().epsilon ** (2 / 3)


def test_where_the_loss_is_quadratic_in_the_nodes_any_sigma_is_exact() -> None:
    """As are central differences of single nodes, which need the same losses one node at a time."""
    problem = gradmark.get_problem("mlp", widths=(5, 4), data="synthetic", batch=3, loss="mse")
    exact, slack = reference(problem), 256 * Arrays().epsilon
    whole, again, single = (
        prepared(name, problem, **hyper)(problem.parameters).gradient
        for name, hyper in (
            ("hadamard_node_es", {"sigma": 0.5}),
            ("hadamard_node_es", {"pairs": 8, "sigma": 0.5}),
            ("node_difference", {"step": 0.5}),
        )
    )
    assert relative_error(whole, exact) <= slack
    assert relative_error(whole, single) <= slack
    assert relative_error(again, whole) <= slack
    assert gradmark.get_method("hadamard_node_es", pairs=8).claims.exactness.factor(problem, exact) == 0


def test_a_tenth_of_a_million_parameters() -> None:
    """The gradient from 1,144 evaluations and one more, and a cosine of 0.4 from 256, in float32."""
    problem = gradmark.get_problem(
        "mlp", widths=(64, 284, 284, 1), data="synthetic", batch=32, loss="mse", dtype="float32"
    )
    wide = problem.to(dtype="float64")
    exact = prepared("backprop", wide)(wide.parameters).gradient
    whole = prepared("hadamard_node_es", problem)(problem.parameters)
    assert whole.work.forward == 1 + 2 * 572
    assert relative_error(whole.gradient, exact) <= 2e-4
    assert (
        cosine(prepared("node_perturbation", problem, pairs=128)(problem.parameters).gradient, exact) >= 0.4
    )


@pytest.mark.parametrize(
    ("name", "backend", "device", "dtype"),
    [
        ("node_perturbation", "numpy", "cpu", "float64"),
        ("hadamard_node_es", "numpy", "cpu", "float64"),
        ("node_perturbation", "torch", "cpu", "float32"),
        ("hadamard_node_es", "torch", "cpu", "bfloat16"),
        ("node_perturbation", "jax", "cpu", "float64"),
        ("hadamard_node_es", "array_api_strict", "device1", "float64"),
    ],
)
def test_the_kernel_of_chains_and_every_backend_see_the_same_moves(
    name: str, backend: str, device: str, dtype: str, portable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed here")
    monkeypatch.setattr(nodes_on_chains, "_ROWS", 42)  # three members at a time
    there = CASES["mlp tanh mse"](Arrays(backend, device, dtype))
    here = there.to(backend="numpy", device="cpu", dtype="float64")
    sigma = 0.25
    # JAX compiles for seconds for every number of rows.
    for rows in (slice(2, 6), slice(0, 7))[: 1 if backend == "jax" else 2]:
        a, b = (
            make(name, problem, pairs=7, sigma=sigma)(
                problem.parameters, 7, draw=problem.default_draw.rows(rows.start, rows.stop)
            )
            for make, problem in ((portable, here), (prepared, there))
        )
        assert_like(b.gradient, there.parameters)
        assert b.work.forward == 15 * (rows.stop - rows.start) / 7
        assert float(b.value) == pytest.approx(float(a.value), rel=64 * there.arrays.epsilon)
        # Losses are of size one and right to some tens of roundings, and so are sums of their differences.
        assert relative_error(b.gradient, a.gradient) <= 64 * there.arrays.epsilon / sigma


@pytest.mark.parametrize("law", ["rademacher", "gaussian"])
@pytest.mark.parametrize(
    ("activation", "widths"), [("relu", (5, 6, 4, 3)), ("silu", (5, 4, 3)), ("tanh", (5, 3))]
)
def test_chains_of_every_depth_and_function_take_the_kernel(
    activation: str, widths: tuple[int, ...], law: str, portable: Any
) -> None:
    """Signs go through the first layer as one of two values, and Gaussian moves as they are."""
    sizes = {**DENSE, "widths": widths, "activation": activation, "loss": "cross_entropy"}
    problem = gradmark.get_problem("mlp", **sizes)
    for draw in (problem.default_draw, problem.default_draw.rows(1, 2)):
        a, b = (
            make("node_perturbation", problem, pairs=5, law=law)(problem.parameters, 3, draw=draw).gradient
            for make in (portable, prepared)
        )
        assert relative_error(b, a) <= 256 * Arrays().epsilon / 0.01


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9, 13, 29, 49, 92, 173, 333])
def test_hadamard_matrices_of_all_sizes_are_orthogonal(size: int) -> None:
    order = order_from(size)
    h = rows_of(np.arange(order), order)
    assert size <= order <= max(4, 1.6 * size)
    assert np.array_equal(np.abs(h), np.ones((order, order)))
    assert np.array_equal(h @ h.T, order * np.eye(order))


def test_a_round_of_patterns_has_each_once_and_signs_of_its_own_for_each_row() -> None:
    nodes = nodes_of(gradmark.get_problem("mlp", **DENSE))
    moves = Patterns(nodes, 4)
    u, again = np.empty((2, 40, moves.width))
    moves.write(0, 40, 1.0, u)
    for start in range(0, 40, 7):
        moves.write(start, min(start + 7, 40), 1.0, again[start : start + 7])
    assert np.array_equal(u, again)
    blocks = np.concatenate([part.reshape(40, 5, -1) for part in np.split(u, np.cumsum([30, 20]), axis=1)], 2)
    for row in range(5):
        assert np.array_equal(blocks[:16, row].T @ blocks[:16, row], 16 * np.eye(13))
    assert not np.array_equal(np.abs(blocks[:, 0] @ blocks[:, 1].T), np.abs(blocks[:, 0] @ blocks[:, 0].T))
    assert not np.array_equal(blocks[:16], blocks[16:32])


@pytest.mark.parametrize("law", ["rademacher", "gaussian"])
@pytest.mark.parametrize("size", [1, 13, 3_000, 70_000])
def test_noise_is_written_into_buffers_as_it_is_returned(law: str, size: int) -> None:
    members, whole = Members(law, 5, size), Members(law, 5, size).rows(0, 40)
    for dtype in (np.float32, np.float64):
        out = np.empty((40, members.width), dtype)
        for start in range(0, 40, 7):
            members.write(start, min(start + 7, 40), 0.25, out[start : start + 7])
        assert np.array_equal(out[:, :size], (0.25 * whole).astype(dtype))


def test_what_cannot_be_moved_is_said_in_words() -> None:
    for name in ("node_perturbation", "hadamard_node_es"):
        reason = gradmark.get_method(name).supports(gradmark.get_problem("quadratic"))
        assert reason == "quadratic has no layers, whose nodes could be moved"


def test_moves_too_small_for_float32_say_that_nothing_changes() -> None:
    problem = CASES["mlp tanh mse"](Arrays(dtype="float32"))
    for name in ("node_perturbation", "hadamard_node_es"):
        function = gradmark.get_method(name, pairs=4, sigma=1e-30).prepare(problem)
        assert not np.any(flat(function(problem.parameters, 1).gradient))
