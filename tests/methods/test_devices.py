"""No method mixes devices: meta tensors (shapes without numbers), and CUDA against float64 on the CPU."""

import pytest
import torch

import gradmark
from gradmark.arrays import Arrays
from tests.methods.cases import CASES, assert_like, cosine, reference, relative_error, rounding

EVERY = {name: gradmark.get_method(name).claims for name in gradmark.list_methods()}
ON_TORCH = [
    name for name, claims in EVERY.items() if "torch" in claims.backends and "gradient" in claims.wants
]
# What asks whether a loss carries complex numbers, if 16 bits overflow, or how losses differ, needs numbers.
ASKING = ("complex_step", "mixed_precision_backprop", "torch_autocast", "richardson", "adaptive_difference")
# What sends numbers to other processes, or has them in NumPy to solve for the answer, needs them too.
SENDING = ("data_parallel_backprop", "pipeline_backprop", "distributed_es", "least_squares_es")
# What reads steps in time needs a network that has them.
UNROLLED = [name for name in ON_TORCH if "unroll" in EVERY[name].reads]
VALUE_INDEPENDENT = [name for name in ON_TORCH if name not in (*ASKING, *SENDING, *UNROLLED)]
EXACT = ("backprop", "autograd", "tangent", "jvp", "complex_step")


@pytest.mark.parametrize("case", ["mlp tanh cross_entropy", "mlp gelu mse", "logistic regression"])
@pytest.mark.parametrize("name", VALUE_INDEPENDENT)
def test_shapes_go_through_on_the_meta_device(name: str, case: str) -> None:
    problem, reads = CASES[case](Arrays("torch")).to(device="meta"), EVERY[name].reads
    if "unroll" in reads:
        problem = gradmark.get_problem("rnn", length=3, hidden=3, backend="torch").to(device="meta")
    if "is not installed" in (reason := gradmark.get_method(name).supports(problem) or ""):
        pytest.skip(reason)
    gradient = gradmark.get_method(name).prepare(problem)(problem.parameters).gradient
    assert_like(gradient, problem.parameters)


@pytest.mark.parametrize("name", UNROLLED)
def test_shapes_go_from_window_to_window_on_the_meta_device(name: str) -> None:
    problem = gradmark.get_problem("rnn", length=3, hidden=2, batch=2, backend="torch").to(device="meta")
    prepared = gradmark.get_method(name, window=2).prepare(problem)
    first = prepared(problem.parameters)
    second = prepared(problem.parameters, state=first.state)
    for estimate in (first, second):
        assert_like(estimate.gradient, problem.parameters)


def test_the_complex_step_needs_numbers_to_see_what_a_loss_carries() -> None:
    problem = CASES["mlp tanh mse"](Arrays("torch")).to(device="meta")
    reason = gradmark.get_method("complex_step").supports(problem)
    assert reason == "its loss does not carry complex128 on the torch backend"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine shows torch no CUDA device")
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("case", ["mlp tanh cross_entropy", "mlp softplus mse", "rosenbrock", "module"])
@pytest.mark.parametrize("name", ON_TORCH)
def test_cuda_agrees_with_float64_on_the_cpu(name: str, case: str, dtype: str) -> None:
    problem = CASES[case](Arrays("torch", "cpu", dtype)).to(device="cuda")
    method = gradmark.get_method(name)
    if (reason := method.supports(problem)) is not None:
        pytest.skip(reason)
    gradient = method.prepare(problem)(problem.parameters, 1).gradient
    assert_like(gradient, problem.parameters)
    wide = CASES[case](Arrays("torch", "cpu", dtype)).to(dtype="float64")
    if name in EXACT:
        assert relative_error(gradient, reference(wide)) <= rounding(dtype)
    elif dtype in ("float64", "float32"):
        # Differences keep half the digits or more; random estimates see the same noise.
        expected = method.prepare(wide)(wide.parameters, 1).gradient
        assert cosine(gradient, expected) >= 1 - 100 * problem.arrays.epsilon**0.5
