"""Forward mode on nodes: the gradient of every kind of network, from as many directions as it has nodes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import installed, to_numpy
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.layer import NamedLayer
from gradmark.work import counting
from methods.forward.structured import node_tangent_on_chains
from problems.layers.linear import Linear
from tests.engine.test_nodes import tied_mlp
from tests.problems.test_every_network import NETWORKS, ROUNDINGS, every_network, network

PLACES = {f"{b} {d}": {"backend": b, "dtype": d} for b in ("numpy", "torch") for d in ("float64", "float32")}
WIDTHS = (4, 5, 6, 7, 6, 3)


def by_nodes(problem: Any, draw: Draw | None = None, *, fast: bool = True) -> dict[str, Any]:
    prepared = gradmark.get_method("node_tangent", fast=fast).prepare(problem)
    found = prepared(problem.parameters, draw=draw).gradient
    return {name: np.array(to_numpy(array)) for name, array in found.items()}


def by_torch(problem: Any, draw: Draw | None = None) -> dict[str, Any]:
    """Reverse mode by torch's graph in float64, which shares nothing with the layers' derivatives."""
    there = problem.to(backend="torch", dtype="float64")
    rows = draw and Draw(
        {
            name: there.arrays.integers(array) if array.dtype.kind == "i" else there.arrays.array(array)
            for name, array in ((name, to_numpy(each)) for name, each in draw.arrays.items())
        }
    )
    found = gradmark.get_method("autograd").prepare(there)(there.parameters, draw=rows).gradient
    return {name: to_numpy(array) for name, array in found.items()}


def assert_near(found: Any, wanted: Any, epsilon: float) -> None:
    assert list(found) == list(wanted)
    for name, array in found.items():
        slack = ROUNDINGS * max(epsilon, 2.0**-52) * max(np.max(np.abs(wanted[name])), 1e-3)
        np.testing.assert_allclose(array, wanted[name], rtol=0, atol=slack, err_msg=name)


@pytest.mark.parametrize("place", PLACES)
@every_network
def test_the_gradient_is_that_of_reverse_mode_for_any_number_of_rows(name: str, place: str) -> None:
    problem = network(name, **PLACES[place])
    fewer = [problem.default_draw.rows(1, 4)]
    if "batch False" not in name:  # whose variance over one row would be zero
        fewer.append(problem.default_draw.rows(2, 3))
    for draw in (None, *fewer):
        assert_near(by_nodes(problem, draw), by_torch(problem, draw), problem.arrays.epsilon)


@pytest.mark.parametrize("name", ["mlp", "rnn"])
@pytest.mark.parametrize("backend", ["jax", "array_api_strict"])
def test_it_is_the_same_on_backends_that_compile_or_check_everything(backend: str, name: str) -> None:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed here")
    problem = network(name, backend=backend)
    assert_near(by_nodes(problem), by_torch(problem), problem.arrays.epsilon)


def test_the_compiled_loop_over_chunks_leaves_out_directions_that_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("jax")
    from methods.forward.structured import node_slopes

    problem = network("mlp", backend="jax")
    monkeypatch.setattr(node_slopes, "per_chunk", lambda problem, draw, numbers: 2)  # of 3 and of 4
    assert_near(by_nodes(problem), by_torch(problem), problem.arrays.epsilon)


@pytest.mark.parametrize(("together", "of_a_row"), [(1, 20), (200, 2**18), (2**17, 2**18)])
@pytest.mark.parametrize("place", [*PLACES, "numpy longdouble"])
def test_the_fast_path_is_the_portable_one_whatever_the_size_of_its_chunks(
    place: str, together: int, of_a_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, dtype = place.split()
    monkeypatch.setitem(node_tangent_on_chains._TOGETHER, backend, together)
    monkeypatch.setattr(node_tangent_on_chains, "_OF_A_ROW", of_a_row)
    for depth in range(2, 7):
        sizes = {"widths": WIDTHS[:depth], "activation": ("tanh", "relu", "silu")[depth % 3], "batch": 7}
        problem = gradmark.get_problem("mlp", **sizes, data="synthetic", backend=backend, dtype=dtype)
        assert_near(by_nodes(problem), by_nodes(problem, fast=False), problem.arrays.epsilon)
        assert_near(by_nodes(problem), by_torch(problem), problem.arrays.epsilon)


@pytest.mark.parametrize("place", PLACES)
def test_layers_without_biases_are_a_chain_too(place: str) -> None:
    whole: Any = gradmark.get_problem("mlp", widths=WIDTHS, data="synthetic", batch=7, **PLACES[place])
    layers = tuple(
        each
        if index % 2 or index == 4
        else NamedLayer(each.prefix, Linear(*WIDTHS[index // 2 :][:2], whole.arrays))
        for index, each in enumerate(whole.layers)
    )
    kept = {full for each in layers for full in each.names.values()}
    parameters = {name: array for name, array in whole.parameters.items() if name in kept}
    problem = replace(whole, layers=layers, parameters=parameters)
    assert chain_of(problem) is not None and len(parameters) == 6
    assert_near(by_nodes(problem), by_torch(problem), problem.arrays.epsilon)


@pytest.mark.parametrize(("name", "directions"), [("mlp", 4 + 3), ("rnn", 4 * 3 + 1)])
@pytest.mark.parametrize("fast", [True, False])
def test_it_pushes_one_tangent_for_each_node(name: str, directions: int, fast: bool) -> None:
    problem, method = network(name), gradmark.get_method("node_tangent", fast=fast)
    prepared = method.prepare(problem)
    for rows in (problem.default_draw.count, 2):
        with counting() as made:
            estimate = prepared(problem.parameters, draw=problem.default_draw.rows(0, rows))
        share = rows / problem.default_draw.count
        assert made.total() == estimate.work == method.claims.work(problem).times(share)
        assert (made.forward, made.tangent, made.pullback) == (share, directions * share, 0)


def layer_classes() -> Iterator[type]:
    from gradmark.structure import flattened

    for name in NETWORKS:
        yield from (type(each.layer) for each in flattened(network(name).opened("nodes").layers))


@pytest.mark.parametrize("fast", [True, False])
def test_no_layer_is_asked_for_its_way_back(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [network(name) for name in NETWORKS]
    wanted = [by_nodes(problem, fast=fast) for problem in problems]

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a way back was taken")

    for kind in set(layer_classes()):
        for way in ("pullback", "pullback_into"):
            if hasattr(kind, way):
                monkeypatch.setattr(kind, way, refuse)
    for problem, gradient in zip(problems, wanted, strict=True):
        for key, array in by_nodes(problem, fast=fast).items():
            np.testing.assert_array_equal(array, gradient[key])


@pytest.mark.parametrize("opening", [("nodes",), ("inputs",), ("inputs", "nodes")])
@pytest.mark.parametrize("name", ["mlp", "rnn", "resnet_mlp"])
def test_offsets_and_inputs_that_were_opened_before_have_their_gradient_too(name: str, opening: Any) -> None:
    problem = network(name)
    for what in opening:
        problem = problem.opened(what)
    found, wanted = by_nodes(problem), by_torch(problem)
    assert set(found) > set(network(name).parameters)
    assert_near(found, wanted, problem.arrays.epsilon)


def test_weights_that_two_layers_share_move_in_both() -> None:
    tied = tied_mlp()
    assert chain_of(tied) is None
    assert_near(by_nodes(tied), by_torch(tied), tied.arrays.epsilon)


def test_what_has_no_layers_is_refused_and_so_is_a_switch_that_is_none() -> None:
    method = gradmark.get_method("node_tangent")
    assert method.supports(gradmark.get_problem("rosenbrock")) == (
        "rosenbrock has no layers to push tangents through"
    )
    with pytest.raises(gradmark.UsageError, match="`fast=2`"):
        gradmark.get_method("node_tangent", fast=2)
