"""Peers: what torch compiles is captured whole and once; what autograd traces is what the array API says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.function_problem import FunctionProblem
from methods.peers import compiled
from tests.methods.cases import CASES, complex_steps, relative_error, rounding

needs_autograd = pytest.mark.skipif(not installed("autograd"), reason="autograd is not installed here")


def test_compiled_code_serves_every_draw_of_as_many_rows() -> None:
    """Neither the parameters nor the data are compiled in: torch would raise where it would compile."""
    problem = CASES["mlp tanh mse"](Arrays("torch"))
    prepared = gradmark.get_method("compiled").prepare(problem)
    moved = {name: array + 0.5 for name, array in problem.parameters.items()}
    with torch.compiler.set_stance("fail_on_recompile"):
        for parameters in (problem.parameters, moved):
            for draw in (None, problem.draw(3)):
                expected = gradmark.get_method("backprop").prepare(problem)(parameters, draw=draw).gradient
                wanted = {name: array.numpy() for name, array in expected.items()}
                found = prepared(parameters, draw=draw).gradient
                assert relative_error(found, wanted) <= rounding("float64")
        with pytest.raises(RuntimeError, match="fail_on_recompile"):
            prepared(problem.parameters, draw=problem.default_draw.rows(0, 3))


@torch._dynamo.config.patch(recompile_limit=1)  # which monkeypatch would set back to nothing
def test_more_shapes_than_torch_compiles_of_one_code_are_all_compiled() -> None:
    for size in (3, 4):
        problem = gradmark.get_problem("rosenbrock", size=size, backend="torch")
        gradmark.get_method("compiled").prepare(problem)(problem.parameters)
    module = torch.nn.Linear(3, 1)
    problem = gradmark.from_torch(
        module, lambda y, t: (y - t).square().mean(), torch.ones(3, 3), torch.ones(3, 1)
    )
    prepared = gradmark.get_method("compiled").prepare(problem)
    for rows in (1, 2, 3):
        prepared(problem.parameters, draw=problem.default_draw.rows(0, rows))


def test_a_loss_that_cannot_be_captured_is_refused_with_the_reason() -> None:
    problem = gradmark.from_function(
        lambda x: (x * x).sum() if float(x.sum()) > 0 else x.sum(), torch.ones(3, dtype=torch.float64)
    )
    reason = gradmark.get_method("compiled").supports(problem)
    assert reason is not None and reason.startswith("torch.compile cannot capture its loss as one graph (")
    assert gradmark.get_method("func_grad").supports(problem) is None


def test_where_nothing_can_be_compiled_it_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_compiler(*args: Any, **options: Any) -> Callable[..., Any]:
        raise RuntimeError("No working C++ compiler found.\nand more")

    monkeypatch.setattr(torch, "compile", without_compiler)
    compiled._reason_against_inductor.cache_clear()
    reason = gradmark.get_method("compiled").supports(CASES["rosenbrock"](Arrays("torch")))
    compiled._reason_against_inductor.cache_clear()
    assert reason == "torch.compile does not work on cpu here (No working C++ compiler found)"


@needs_autograd
@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: xp.sum(xp.take(x, xp.asarray([0, 2, 0]), axis=1) ** 2),
        lambda xp, x: xp.sum(xp.permute_dims(xp.stack([x, 2 * x]), (2, 0, 1)) ** 3),
        lambda xp, x: xp.sum(xp.matrix_transpose(x) @ x),
        lambda xp, x: xp.sum(xp.cumulative_sum(x, axis=1) ** 2),
        lambda xp, x: xp.sum(xp.exp(xp.concat([row * row for row in xp.unstack(x)]))),
        lambda xp, x: xp.sum(xp.atan(xp.asarray(xp.astype(x, x.dtype), dtype=x.dtype))),
    ],
    ids=["take", "permute_dims", "matrix_transpose", "cumulative_sum", "unstack", "astype"],
)
def test_what_the_namespace_adds_to_autograd_is_traced(function: Callable[[Any, Any], Any]) -> None:
    """Against complex steps of the same function on NumPy itself."""
    point = np.random.default_rng(0).normal(size=(3, 4))
    problem = FunctionProblem(
        lambda xp, p: function(xp, p["x"]), Arrays(), {"x": point}, gradmark.get_problem("quadratic").call
    )
    found = gradmark.get_method("hips_autograd").prepare(problem)(problem.parameters).gradient
    assert relative_error(found, complex_steps(problem, problem.default_draw)) <= rounding("float64")


@needs_autograd
def test_a_loss_that_autograd_cannot_trace_is_refused_with_the_reason() -> None:
    problem = gradmark.from_function(lambda x: np.float64(float(x[0]) ** 2), np.array([3.0]))
    reason = gradmark.get_method("hips_autograd").supports(problem)
    assert reason is not None and reason.startswith("autograd cannot trace its loss (TypeError: ")


@needs_autograd
def test_nobody_is_offered_the_arrays_that_autograd_traces() -> None:
    with pytest.raises(gradmark.UsageError, match="unknown backend `nonsense`") as refusal:
        Arrays("nonsense")
    assert "autograd" not in str(refusal.value)
    moved = CASES["rosenbrock"](Arrays("autograd"))
    assert gradmark.get_method("backprop").supports(moved) is not None


@pytest.mark.parametrize("name", ["autograd", "func_grad", "jvp", "torch_autocast", "torch_checkpoint"])
def test_a_call_inside_of_no_grad_is_the_same_call(name: str) -> None:
    """As in a step of gradient descent, which records no graph of its own."""
    problem = CASES["mlp tanh mse"](Arrays("torch"))
    function = gradmark.get_method(name).prepare(problem)
    wanted = function(problem.parameters).gradient
    with torch.no_grad():
        found = function(problem.parameters).gradient
        assert not torch.is_grad_enabled()
    for key, array in wanted.items():
        assert torch.equal(found[key], array) and not found[key].requires_grad, key


def test_bfloat16_on_the_cpu_is_not_compiled() -> None:
    """Inductor's code for one row gave NaN there, which the judge of methods found."""
    problem = CASES["mlp tanh cross_entropy"](Arrays("torch", dtype="bfloat16"))
    reason = gradmark.get_method("compiled").supports(problem)
    assert reason is not None
    assert "bfloat16" in reason


@pytest.mark.parametrize(
    ("name", "package", "backend"),
    [("evosax_open_es", "evosax", "jax"), ("evotorch_pgpe", "evotorch", "torch")],
)
def test_a_peer_that_is_not_here_says_what_to_install(
    name: str, package: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed here")
    monkeypatch.setattr(f"methods.peers.{name}.installed", lambda asked: asked != package)
    reason = gradmark.get_method(name).supports(gradmark.get_problem("rosenbrock", backend=backend))
    assert reason is not None
    assert package in reason and "pip install" in reason


@pytest.mark.skipif(not installed("evosax"), reason="evosax is not installed here")
def test_evosax_draws_in_the_dtype_of_the_problem_and_leaves_the_switch_of_jax() -> None:
    """float32 moves are other numbers than float64 ones, not the same numbers rounded."""
    import jax

    found = {}
    for dtype in ("float64", "float32"):
        problem = gradmark.get_problem("rosenbrock", size=6, backend="jax", dtype=dtype)
        found[dtype] = gradmark.get_method("evosax_open_es", pairs=3).prepare(problem)(problem.parameters, 1)
        assert jax.config.jax_enable_x64
        assert {str(array.dtype) for array in found[dtype].gradient.values()} == {dtype}
    assert relative_error(found["float32"].gradient, found["float64"].gradient) > 0.01
