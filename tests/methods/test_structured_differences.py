"""Differences that use a network's layers: the numbers of central differences, or of nodes in their place."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import installed, to_numpy
from gradmark.problem import Problem
from gradmark.work import counting
from tests.methods.cases import flat, reference, relative_error

SMALL: dict[str, Any] = {"data": "synthetic", "widths": (5, 6, 4, 3, 2), "batch": 8}
HIDDEN: dict[str, Any] = {"data": "synthetic", "inputs": 5, "outputs": 3, "width": 4, "batch": 6}
CHAINS: dict[str, tuple[str, dict[str, Any]]] = {
    f"{activation} {loss} {backend} {dtype}": (
        "mlp",
        {**SMALL, "activation": activation, "loss": loss, "backend": backend, "dtype": dtype},
    )
    for backend, dtype in (("numpy", "float64"), ("numpy", "float32"), ("torch", "float64"))
    for activation, loss in (("tanh", "mse"), ("relu", "cross_entropy"), ("gelu", "mse"))
} | {"one layer": ("logistic_regression", {"batch": 20})}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "convnet": ("convnet", {"data": "synthetic", "channels": (2,), "size": 4, "outputs": 3, "batch": 4}),
    "rnn": ("rnn", {"length": 4, "hidden": 3, "batch": 4}),
    "transformer": ("transformer", {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "batch": 2}),
    "resnet": ("resnet_mlp", {**HIDDEN, "blocks": 2, "normalisation": "layer", "backend": "torch"}),
    "batch_norm": ("deep_mlp", {**HIDDEN, "depth": 2, "normalisation": "batch", "dropout": 0.25}),
}
if installed("jax"):
    OTHERS["jax"] = ("mlp", {**SMALL, "widths": (3, 2, 2), "activation": "tanh", "backend": "jax"})
EVERY = CHAINS | OTHERS
SMOOTH = [name for name in EVERY if not name.startswith("relu") and name != "convnet"]
NAMES = ("weight_difference", "node_difference")
# Widths at which blocks of a few units and a few columns do not come out even.
BLOCKS: dict[str, Any] = {**SMALL, "activation": "tanh", "loss": "cross_entropy", "batch": 7}


def built(case: str) -> Problem:
    name, sizes = EVERY[case]
    return gradmark.get_problem(name, **sizes)


def gradient_of(name: str, problem: Problem, **more: Any) -> Any:
    return gradmark.get_method(name, **more).prepare(problem)(problem.parameters).gradient


@pytest.mark.parametrize("step", [None, 1e-2])
@pytest.mark.parametrize("case", EVERY)
def test_a_weight_difference_is_the_central_one_up_to_the_rounding_of_the_loss(
    case: str, step: float | None
) -> None:
    problem = built(case)
    found, central = (
        flat(gradient_of(name, problem, step=step)) for name in ("weight_difference", "central_difference")
    )
    epsilon, loss = problem.arrays.epsilon, float(to_numpy(problem.loss(problem.parameters)))
    scales = [np.sqrt(np.mean(to_numpy(x).astype(float) ** 2)) or 1.0 for x in problem.parameters.values()]
    h = step or np.cbrt(epsilon) * min(scales)
    # Each of two losses is summed in another order: a few of its roundings, divided by two steps.
    assert np.max(np.abs(found - central)) <= 8 * epsilon * abs(loss) / h


@pytest.mark.parametrize("case", SMOOTH)
def test_the_error_of_node_differences_is_that_of_the_step_squared(case: str) -> None:
    problem = built(case)
    exact = reference(problem)
    epsilon = problem.arrays.epsilon
    # eps^(2/3) times loss over gradient and the third derivative over it, which are below ten here.
    assert relative_error(gradient_of("node_difference", problem), exact) <= 10 * epsilon ** (2 / 3)
    steps = np.geomspace(0.01, 0.04, 3) if epsilon < 1e-10 else np.geomspace(0.1, 0.2, 3)
    errors = [relative_error(gradient_of("node_difference", problem, step=float(h)), exact) for h in steps]
    # The next term of the series is of order h^2 beside the first.
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(2, abs=10 * steps[-1] ** 2 + 0.02)


@pytest.mark.parametrize("case", CHAINS)
@pytest.mark.parametrize("name", NAMES)
def test_the_fast_form_is_the_portable_one_up_to_rounding(name: str, case: str) -> None:
    problem = built(case)
    fast, portable = (gradient_of(name, problem, fast=fast, step=1e-2) for fast in (True, False))
    # Roundings of the loss and of what moves, divided by the step.
    assert relative_error(fast, portable) <= 40 * problem.arrays.epsilon / 1e-2


@pytest.mark.parametrize("together", [1, 300, 2000])
@pytest.mark.parametrize("name", NAMES)
def test_the_size_of_a_block_does_not_change_the_answer(
    name: str, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from methods.finite_difference.structured import dense_chains

    problem = gradmark.get_problem("mlp", **BLOCKS)
    whole = gradient_of(name, problem, step=1e-2)
    monkeypatch.setitem(dense_chains._TOGETHER, "cpu", together)
    blocks = gradient_of(name, problem, step=1e-2)
    assert relative_error(blocks, whole) <= 40 * problem.arrays.epsilon / 1e-2


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_fewer_rows_may_come_and_are_counted_as_fewer(name: str, fast: bool) -> None:
    problem = gradmark.get_problem("mlp", **{**SMALL, "activation": "tanh"})
    method, few = gradmark.get_method(name, fast=fast), problem.default_draw.rows(2, 5)
    prepared = method.prepare(problem)
    whole = prepared(problem.parameters).gradient
    kept = {each: array.copy() for each, array in whole.items()}
    estimate = prepared(problem.parameters, draw=few)
    exact = reference(problem, few)
    assert relative_error(estimate.gradient, exact) <= 1e-8
    assert estimate.work.forward == pytest.approx(method.claims.work(problem).forward * 3 / 8, rel=1e-12)
    again = prepared(problem.parameters).gradient
    assert all(np.array_equal(again[each], kept[each]) for each in kept)


@pytest.mark.parametrize("case", ["tanh mse numpy float64", "one layer", *OTHERS])
@pytest.mark.parametrize("name", NAMES)
def test_every_evaluation_behind_what_moves_is_counted_as_one(name: str, case: str) -> None:
    problem = built(case)
    for fast in (True, False):
        method = gradmark.get_method(name, fast=fast)
        prepared = method.prepare(problem)
        with counting() as work:
            estimate = prepared(problem.parameters)
        claimed = method.claims.work(problem).forward
        assert work.forward == pytest.approx(claimed, rel=1e-12)
        assert estimate.work.forward == pytest.approx(claimed, rel=1e-12)
        assert float(to_numpy(estimate.value)) == pytest.approx(
            float(to_numpy(problem.loss(problem.parameters))), rel=8 * problem.arrays.epsilon
        )


def test_two_evaluations_are_made_for_each_weight_or_for_each_node() -> None:
    problem = gradmark.get_problem("mlp", widths=(4, 6, 5, 3), data="synthetic")
    weights, nodes = 5 * 6 + 7 * 5 + 6 * 3, 6 + 5 + 3
    for name, moved in (("weight_difference", weights), ("node_difference", nodes)):
        assert gradmark.get_method(name).claims.work(problem).forward == 1 + 2 * moved


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_layers_is_refused_with_the_reason(name: str) -> None:
    reason = gradmark.get_method(name).supports(gradmark.get_problem("quadratic"))
    assert reason is not None and "has no layers" in reason
