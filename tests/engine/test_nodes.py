"""Nodes in place of parameters: what is known of them is known of the parameters behind them."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.nodes import against_nodes, nodes_of
from tests.problems.test_every_network import NETWORKS, ROUNDINGS, every_network, gradient, network

PLACES = [{}, {"backend": "torch", "dtype": "float32"}]


def tied_mlp() -> Any:
    """Two layers that are one and the same."""
    problem: Any = gradmark.get_problem("mlp", widths=(3, 3, 3), data="synthetic", batch=4)
    first, activation, _ = problem.layers
    parameters = {name: problem.parameters[name] for name in ("layers.0.weight", "layers.0.bias")}
    return replace(problem, layers=(first, activation, first), parameters=parameters)


def assert_near(found: Any, wanted: Any, epsilon: float) -> None:
    for name, array in found.items():
        slack = ROUNDINGS * epsilon * max(np.max(np.abs(wanted[name])), 1e-3)
        np.testing.assert_allclose(to_numpy(array), wanted[name], rtol=0, atol=slack, err_msg=name)


@pytest.mark.parametrize("place", PLACES, ids=["numpy", "torch"])
@every_network
def test_the_error_signals_at_the_nodes_give_the_gradient_of_the_parameters_behind_them(
    name: str, place: Any
) -> None:
    """With dL/d(offset) from backpropagation: contracted with what the layers saw, nothing else."""
    problem = network(name, **place)
    for draw in (problem.default_draw, problem.default_draw.rows(1, 4)):
        nodes = nodes_of(problem, draw)
        point = nodes.point(problem.parameters)
        signals = gradient(nodes.problem, draw=draw)
        _, seen = nodes.forward(point, draw)
        s = {site.offset: problem.arrays.array(signals[site.offset]) for site in nodes.sites}
        found = nodes.contracted(point, seen, s)
        assert set(found) | set(nodes.others) == set(problem.parameters)
        assert not set(found) & set(nodes.others)
        assert_near(found, gradient(problem, draw=draw), problem.arrays.epsilon)


@every_network
def test_one_direction_moves_its_node_in_every_block_and_all_of_them_move_every_node_once(name: str) -> None:
    problem = network(name)
    nodes = nodes_of(problem)
    assert nodes.blocks == (1 if name == "deep_mlp batch False" else problem.default_draw.count)
    others = sum(prod(problem.parameters[each].shape) for each in nodes.others)
    assert nodes.directions == others + sum(site.directions for site in nodes.sites)
    for site in nodes.sites:
        like = nodes.problem.parameters[site.offset]
        every = site.along(problem.arrays, like, 0, site.directions + 1)
        assert not every[-1].any()
        every = every[:-1]
        assert (every.sum(axis=(1, 2)) == nodes.blocks).all() and (every.sum(axis=0) == 1).all()
        last = site.along(problem.arrays, like, site.directions - 1, 1)
        np.testing.assert_array_equal(last, every[-1:])
        numbers = np.arange(prod(site.shape), dtype=np.float64).reshape(site.shape)
        in_blocks = (every * numbers).reshape(len(every), nodes.blocks, -1).sum(axis=-1)
        np.testing.assert_array_equal(site.placed(problem.arrays, in_blocks), numbers)


def test_directions_are_as_many_as_the_formula_says() -> None:
    """A dense layer has one for each unit; a recurrent one for each unit and step; a normalised one two more
    for each unit; a convolution one for each number of its kernels, where these are fewer than its nodes.
    A transformer's layers have one for each unit and position, attention four."""

    def count(name: str) -> int:
        return nodes_of(network(name)).directions

    assert count("mlp") == 4 + 3
    assert count("deep_mlp layer False") == (4 + 2 * 4) * 2 + 3
    assert count("rnn") == 4 * 3 + 1
    assert count("lstm") == 2 * 4 * (4 * 3) + 1
    assert count("convnet") == 2 * (9 + 1) + 3 * 3 * 3 + 4 + 3
    embedding, attention, thinking, head, norms = 4, 4 * 4, 2 * 4 + 4, 17, 3 * 2 * 4
    assert count("transformer") == 3 * (embedding + attention + thinking + head) + norms


@pytest.mark.parametrize("positions", [4, 5, 6])
def test_attention_moves_its_weights_where_it_has_more_positions_than_width_and_bias(positions: int) -> None:
    """T nodes for each of q, k, v and the output, against 4 + 1 numbers of each of their units."""
    problem = gradmark.get_problem("transformer", blocks=1, width=4, heads=2, positions=positions, batch=2)
    nodes, width = nodes_of(problem), 4
    moved = [site.directions for site in nodes.sites if "self_attn" in site.offset]
    own = [problem.parameters[each].size for each in nodes.others if "self_attn" in each]
    by_nodes = [3 * width * positions, width * positions]
    assert (moved, sum(own)) == ((by_nodes, 0) if positions <= 5 else ([], 4 * width * (width + 1)))


def test_a_parameter_that_several_layers_use_moves_itself() -> None:
    nodes = nodes_of(tied_mlp())
    assert (nodes.sites, nodes.others) == ((), ("layers.0.weight", "layers.0.bias"))


def test_what_has_no_nodes_is_refused_in_words() -> None:
    assert against_nodes(gradmark.get_problem("rosenbrock")) == (
        "rosenbrock has no layers, whose nodes could be moved"
    )
    assert all(against_nodes(network(name)) is None for name in NETWORKS)
