"""Narrow dtypes, tracing by JAX, and torch's meta device, which computes shapes only."""

import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, dtype_name, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from problems.layers.nonlinearities import NONLINEARITIES

EVERY = [
    *[("mlp", {"activation": name, "loss": "mse"}) for name in NONLINEARITIES],
    ("mlp", {}),
    ("deep_mlp", {"depth": 2, "normalisation": "layer"}),
    ("deep_mlp", {"depth": 2, "normalisation": "batch"}),
    ("resnet_mlp", {"dropout": 0.1}),
    ("logistic_regression", {}),
    ("quadratic", {}),
    ("rosenbrock", {}),
    ("log_sum_exp", {}),
    ("polynomial", {"degree": 4}),
]
every_problem = pytest.mark.parametrize(
    ("name", "sizes"), EVERY, ids=[" ".join([name, *map(str, sizes.values())]) for name, sizes in EVERY]
)


def influence(problem: Any) -> float:
    """The root of the sum of (v dL/dv)^2 over all numbers v that an evaluation stores.

    They are inputs, parameters, nodes and the loss itself. Independent relative errors of standard deviation
    s in each of them move the loss by s times this, to first order (Higham and Mary 2019 say why roundings
    may be taken as independent).
    """
    torch = problem.arrays.xp
    opened = problem.opened("inputs").opened("nodes") if problem.layers else problem
    leaves = {name: array.clone().requires_grad_(True) for name, array in opened.parameters.items()}
    value = opened.loss(leaves)
    slopes = dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True))
    stored = dict(opened.parameters)
    h = stored.get("inputs")
    for named in opened.layers or ():
        h, _ = named.layer.forward(named.own(opened.parameters), h, problem.default_draw)
        if "nodes" in named.prefix:  # what an offset is added to is the pre-activation itself
            stored[f"{named.prefix}.offset"] = h
    squares = [float(torch.sum((slopes[name] * stored[name]) ** 2)) for name in slopes]
    return math.hypot(float(value.detach()), math.sqrt(sum(squares)))


@every_problem
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_losses_come_back_in_their_dtype_and_agree_with_float64(name: str, sizes: Any, dtype: str) -> None:
    narrow = gradmark.get_problem(name, **sizes, backend="torch", dtype=dtype)
    wide = narrow.to(dtype="float64")
    value = narrow.loss(narrow.parameters)
    assert dtype_name(value) == dtype
    # Each stored number goes through at most 8 roundings (a product, the activation, the shift by the
    # maximum, exp, log, Rosenbrock's squares; torch adds in float32), each uniform within half an epsilon,
    # whose standard deviation is epsilon / sqrt(12). Six deviations are exceeded once in 5e8 times.
    bound = 6 * math.sqrt(8 / 12) * narrow.arrays.epsilon * influence(wide)
    exact = float(wide.loss(wide.parameters))
    assert abs(float(value) - exact) <= bound
    assert bound < 12 * narrow.arrays.epsilon * abs(exact)  # a bound that sees the loss of another digit


@every_problem
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jax_traces_every_loss(name: str, sizes: Any, dtype: str) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed here")
    problem = gradmark.get_problem(name, **sizes, backend="jax", dtype=dtype)
    traced = jax.jit(lambda parameters, arrays: problem.loss(parameters, Draw(arrays)))
    value = traced(problem.parameters, dict(problem.default_draw.arrays))
    assert dtype_name(value) == dtype
    # XLA fuses and reorders sums of at most 64 terms and rows.
    slack = 2 * 64 * problem.arrays.epsilon
    assert float(value) == pytest.approx(float(problem.loss(problem.parameters)), rel=slack, abs=0)


@every_problem
def test_jax_traces_a_population(name: str, sizes: Any) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed here")
    problem = gradmark.get_problem(name, **sizes, backend="jax")
    members = {key: jax.numpy.stack([at, 2 * at]) for key, at in problem.parameters.items()}
    traced = jax.jit(problem.loss)(members)
    np.testing.assert_allclose(traced, problem.loss(members), rtol=2 * 64 * problem.arrays.epsilon)


@every_problem
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_meta_tensors_carry_shapes_through_loss_and_gradients(name: str, sizes: Any, dtype: str) -> None:
    problem = gradmark.get_problem(name, **sizes, backend="torch", device="meta", dtype=dtype)
    value = problem.loss(problem.parameters)
    assert tuple(value.shape) == () and value.device.type == "meta" and dtype_name(value) == dtype
    methods = ["autograd", "backprop"] if problem.layers else ["autograd"]
    for method in methods:
        gradient = gradmark.get_method(method).prepare(problem)(problem.parameters).gradient
        assert list(gradient) == list(problem.parameters)
        for key, array in gradient.items():
            assert array.shape == problem.parameters[key].shape and array.device.type == "meta"


def test_a_network_on_meta_takes_a_population() -> None:
    problem = gradmark.get_problem("mlp", backend="torch", device="meta")
    members = {key: at.expand(3, *at.shape) for key, at in problem.parameters.items()}
    assert tuple(problem.loss(members).shape) == (3,)


def test_meta_tensors_have_no_numbers_to_convert() -> None:
    problem = gradmark.get_problem("mlp", backend="torch", device="meta")
    with pytest.raises(UsageError, match="meta tensors have a shape and no numbers"):
        problem.to(backend="numpy")


def test_complex_arrays_exist_beside_each_real_dtype() -> None:
    for dtype, complex_dtype in (
        ("float32", "complex64"),
        ("float64", "complex128"),
        ("longdouble", "clongdouble"),
    ):
        arrays = Arrays(dtype=dtype).complexified()
        assert arrays.dtype == complex_dtype and arrays.epsilon == Arrays(dtype=dtype).epsilon
        assert dtype_name(arrays.zeros((2,))) == complex_dtype
        assert arrays.itemsize == 2 * Arrays(dtype=dtype).itemsize == to_numpy(arrays.zeros((1,))).itemsize
    with pytest.raises(UsageError, match="no complex counterpart"):
        Arrays("torch", dtype="bfloat16").complexified()
