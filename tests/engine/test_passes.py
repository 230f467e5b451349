"""The three passes through layers, against each other, derivatives taken without a formula, and torch."""

from typing import Any

import numpy as np
import pytest
from torch.utils.flop_counter import FlopCounterMode

import gradmark
from gradmark import passes
from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from gradmark.random import generator
from gradmark.structure import all_in_place
from gradmark.work import Work, counting
from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.losses import CrossEntropy, MeanSquaredError
from problems.network import Network
from tests.problems.numeric import jacobian

NAMED = ("mlp", "logistic_regression", "quadratic", "rosenbrock", "log_sum_exp", "polynomial")
ROWS, UNITS = 5, 4
# Sums over rows and units in each of at most four layers, and functions of some 16 roundings.
ROUNDINGS = 4 * (ROWS + UNITS + 16)

# Prefix and kind of each layer; two with one prefix share their parameters.
CHAINS = {
    "plain": [("layers.0", "dense"), ("layers.1", "tanh"), ("layers.2", "dense")],
    "shared": [("layers.0", "dense"), ("layers.1", "tanh"), ("layers.0", "dense")],
    "thrice": [("a", "dense"), ("b", "relu"), ("a", "dense"), ("c", "tanh"), ("a", "dense")],
    "starts with an activation": [("layers.0", "tanh"), ("layers.1", "dense")],
    "two activations": [
        ("layers.0", "dense"),
        ("layers.1", "tanh"),
        ("layers.2", "relu"),
        ("layers.3", "dense"),
    ],
    "ends with an activation": [("layers.0", "dense"), ("layers.1", "tanh")],
    "one layer": [("layers.0", "dense")],
}
every_chain = pytest.mark.parametrize("chain", CHAINS)


def network(chain: str, arrays: Arrays, loss: Any = MeanSquaredError) -> Network:
    random = np.random.default_rng(0)
    layers, parameters = [], {}
    for prefix, kind in CHAINS[chain]:
        layer = Dense(UNITS, UNITS, arrays) if kind == "dense" else Activation(kind, arrays)
        layers.append(NamedLayer(prefix, layer))
        for name, shape in layer.shapes().items():
            parameters[f"{prefix}.{name}"] = arrays.array(random.standard_normal(shape) / 2)
    targets = np.abs(random.standard_normal((ROWS, UNITS)))
    rows = {
        "inputs": random.standard_normal((ROWS, UNITS)),
        "targets": targets / targets.sum(1, keepdims=True),
    }
    draw = Draw({name: arrays.array(numbers) for name, numbers in rows.items()})
    return Network(tuple(layers), loss(arrays), arrays, parameters, draw, ROWS, draw, Call("chain"))


def flat(named: Any) -> Any:
    return np.concatenate([to_numpy(array).ravel() for array in named.values()])


def by_complex_steps(problem: Network) -> Any:
    columns = jacobian(problem.loss, problem.parameters)
    return np.concatenate([columns[name].ravel() for name in problem.parameters])


def pulled_back(problem: Network) -> dict[str, Any]:
    trace = passes.forward(problem, problem.parameters, problem.default_draw)
    return passes.pullback(problem, problem.parameters, problem.default_draw, trace)


@every_chain
@pytest.mark.parametrize("loss", [MeanSquaredError, CrossEntropy])
def test_pullback_is_the_gradient_also_where_a_parameter_is_used_twice(chain: str, loss: Any) -> None:
    problem = network(chain, Arrays(dtype="longdouble"), loss)
    wanted, found = by_complex_steps(problem), pulled_back(problem)
    assert list(found) == list(problem.parameters)
    error = np.max(np.abs(flat(found) - wanted))
    assert error <= ROUNDINGS * problem.arrays.epsilon * np.max(np.abs(wanted))


@every_chain
def test_pushforward_is_the_gradient_times_each_tangent(chain: str) -> None:
    problem = network(chain, Arrays(dtype="longdouble"))
    draw, random = problem.default_draw, np.random.default_rng(1)
    tangents = {
        name: random.standard_normal((3, *at.shape)).astype(at.dtype)
        for name, at in problem.parameters.items()
    }
    trace = passes.forward(problem, problem.parameters, draw)
    slopes = passes.pushforward(problem, problem.parameters, draw, trace, tangents)
    assert slopes.shape == (3,)
    products = [
        np.sum(by_complex_steps(problem) * flat({n: t[k] for n, t in tangents.items()})) for k in range(3)
    ]
    scale = np.sum(np.abs(by_complex_steps(problem)))
    assert np.max(np.abs(slopes - products)) <= ROUNDINGS * problem.arrays.epsilon * scale * 4


@every_chain
def test_a_parameter_without_a_tangent_does_not_move(chain: str) -> None:
    problem = network(chain, Arrays())
    draw = problem.default_draw
    trace = passes.forward(problem, problem.parameters, draw)
    for name, at in problem.parameters.items():
        alone = {name: np.ones((1, *at.shape))}
        still = {other: np.zeros((1, *array.shape)) for other, array in problem.parameters.items()}
        found = passes.pushforward(problem, problem.parameters, draw, trace, alone)
        wanted = passes.pushforward(problem, problem.parameters, draw, trace, {**still, **alone})
        np.testing.assert_allclose(found, wanted, rtol=ROUNDINGS * problem.arrays.epsilon)


@every_chain
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("fast", [True, False])
def test_backprop_is_right_on_every_chain_of_layers(chain: str, backend: str, fast: bool) -> None:
    """No buffer may be shared where a layer would overwrite data, or drop a shared parameter's gradient."""
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    problem, numpy = network(chain, Arrays(backend)), network(chain, Arrays())
    wanted = by_complex_steps(numpy)
    prepared = gradmark.get_method("backprop", fast=fast).prepare(problem)
    slack = ROUNDINGS * numpy.arrays.epsilon
    for _ in range(2):  # the second call finds the buffers of the first
        estimate = prepared(problem.parameters)
        error = np.max(np.abs(flat(estimate.gradient) - wanted))
        assert error <= slack * np.max(np.abs(wanted))
        assert float(estimate.value) == pytest.approx(float(numpy.loss(numpy.parameters)), rel=slack, abs=0)
    np.testing.assert_array_equal(flat(problem.parameters), flat(numpy.parameters))
    np.testing.assert_array_equal(flat(problem.default_draw.arrays), flat(numpy.default_draw.arrays))


@every_chain
def test_the_plain_forward_pass_is_right_on_every_chain_of_layers(chain: str) -> None:
    problem = network(chain, Arrays())
    value = problem.plain_forward()(problem.parameters, problem.default_draw)
    assert float(value) == pytest.approx(
        float(problem.loss(problem.parameters)), rel=ROUNDINGS * 2.0**-52, abs=0
    )
    fresh = network(chain, Arrays()).default_draw
    np.testing.assert_array_equal(problem.default_draw.arrays["inputs"], fresh.arrays["inputs"])


def test_buffers_are_used_just_where_they_are_safe() -> None:
    def safe(chain: str) -> bool:
        problem = network(chain, Arrays())
        return all_in_place(problem.layers, problem.criterion)

    assert [chain for chain in CHAINS if safe(chain)] == ["plain", "ends with an activation", "one layer"]
    assert not all_in_place(None, None)
    jax_like = network("plain", Arrays("array_api_strict"))
    assert not all_in_place(jax_like.layers, jax_like.criterion)


def test_passes_are_counted_by_the_share_of_the_rows() -> None:
    problem = network("plain", Arrays())
    draw = problem.default_draw.rows(0, 2)
    with counting() as work:
        trace = passes.forward(problem, problem.parameters, draw)
        passes.pullback(problem, problem.parameters, draw, trace)
        tangents = {name: np.ones((7, *at.shape)) for name, at in problem.parameters.items()}
        passes.pushforward(problem, problem.parameters, draw, trace, tangents)
    share = 2 / ROWS
    assert work.total() == Work(forward=share, pullback=share, tangent=7 * share)


@pytest.mark.parametrize("widths", [(64, 10), (64, 32, 10), (64, 16, 16, 10)])
def test_flops_are_those_that_torch_counts(widths: tuple[int, ...]) -> None:
    problem = gradmark.get_problem("mlp", widths=widths, backend="torch", batch=17)
    with FlopCounterMode(display=False) as counter:
        problem.loss(problem.parameters)
    assert problem.flops == counter.get_total_flops()


def test_the_gradient_costs_torch_what_the_layers_say() -> None:
    """Two more products for each layer, but none for the gradient of the data."""
    problem: Any = gradmark.get_problem("mlp", widths=(64, 32, 10), backend="torch", batch=17)
    first = problem.layers[0].layer.flops(17)
    for method in ("autograd", "backprop"):
        prepared = gradmark.get_method(method).prepare(problem)
        with FlopCounterMode(display=False) as counter:
            prepared(problem.parameters)
        counted = counter.get_total_flops()
        # Bias gradients are products with ones in the in-place kernel: one vector product for each layer.
        assert 3 * problem.flops - first <= counted <= 3 * problem.flops - first + 2 * 17 * (32 + 10)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_backend_starts_from_the_same_numbers(name: str, dtype: str) -> None:
    numpy = gradmark.get_problem(name, dtype=dtype, seed=11)
    for backend in ("torch", "jax", "array_api_strict"):
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
        there = gradmark.get_problem(name, backend=backend, dtype=dtype, seed=11)
        assert list(there.parameters) == list(numpy.parameters)
        np.testing.assert_array_equal(flat(there.parameters), flat(numpy.parameters))
    other = gradmark.get_problem(name, dtype=dtype, seed=12)
    assert np.any(flat(other.parameters) != flat(numpy.parameters))


def test_each_role_of_a_seed_has_numbers_of_its_own() -> None:
    roles = ("weights", "data", "draw", "noise", "judge", "bootstrap")
    drawn = {float(generator(0, role).standard_normal()) for role in roles}  # type: ignore[arg-type]
    drawn |= {float(generator(0, "noise", repetition).standard_normal()) for repetition in range(3)}
    drawn.add(float(np.random.default_rng(0).standard_normal()))  # what a person draws with the same seed
    assert len(drawn) == len(roles) + 3 + 1
    assert generator(10**40, "noise").standard_normal() == generator(10**40, "noise").standard_normal()
