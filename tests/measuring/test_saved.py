"""What is kept for the way back: 4 B (n_0 + n_1 + ...) where derivatives come from h, more elsewhere."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.measuring.saved import saved_by_layers, saved_by_torch
from gradmark.method import Saves
from gradmark.problem import Problem
from gradmark.work import counting

WIDTHS, BATCH = (12, 9, 7, 5), 32


def network(activation: str, backend: str = "numpy", dtype: str = "float32") -> Problem:
    return gradmark.get_problem(
        "mlp",
        widths=WIDTHS,
        data="synthetic",
        batch=BATCH,
        activation=activation,
        backend=backend,
        dtype=dtype,
    )


def bytes_of(*units: int, itemsize: int = 4) -> int:
    return itemsize * BATCH * sum(units)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
def test_where_derivatives_come_from_h_each_layer_keeps_h_alone(activation: str, backend: str) -> None:
    kept = saved_by_layers(network(activation, backend))
    assert [size for size in kept.values() if size] == [bytes_of(n) for n in WIDTHS]


@pytest.mark.parametrize("activation", ["gelu", "silu", "sigmoid", "softplus", "elu"])
def test_where_they_come_from_z_hidden_layers_keep_both(activation: str) -> None:
    kept = saved_by_layers(network(activation, "torch"))
    hidden = WIDTHS[1:-1]
    assert sum(kept.values()) == bytes_of(*WIDTHS, *hidden)


def test_float64_keeps_twice_as_much() -> None:
    assert sum(saved_by_layers(network("tanh", dtype="float64")).values()) == bytes_of(*WIDTHS, itemsize=8)


def test_torch_keeps_h_for_tanh_and_both_for_gelu_and_the_softmax_of_the_loss() -> None:
    tanh, gelu = (sum(saved_by_torch(network(name, "torch")).values()) for name in ("tanh", "gelu"))
    hidden = bytes_of(*WIDTHS[1:-1])
    assert tanh >= bytes_of(*WIDTHS[:-1])
    assert gelu - tanh >= hidden


def test_parameters_are_not_counted_and_a_buffer_only_once() -> None:
    problem = network("tanh")
    kept = saved_by_layers(problem)
    weights = {np.asarray(array).nbytes for name, array in problem.parameters.items() if "weight" in name}
    assert not weights & set(kept.values())
    assert kept["layers.1"] > 0
    assert kept["layers.2"] == 0  # its input is the output of layers.1


@pytest.mark.parametrize("name", ["backprop", "autograd"])
def test_a_method_says_what_it_keeps_without_a_pass_being_counted(name: str) -> None:
    problem, method = network("tanh", "torch"), gradmark.get_method(name)
    assert isinstance(method, Saves)
    with counting() as work:
        assert sum(method.saved(problem).values()) >= bytes_of(*WIDTHS[:-1])
    assert work.total().passes == 0


def deep(name: str = "deep_mlp", **sizes: Any) -> Problem:
    """Sixteen steps of one width."""
    own = {"blocks": 14} if name == "reversible_mlp" else {"depth": 15}
    return gradmark.get_problem(
        name, **{**own, "width": 8, "inputs": 8, "outputs": 8, "data": "synthetic", "batch": BATCH, **sizes}
    )


def kept(problem: Problem, name: str, **hyper: Any) -> float:
    """In states of the network, the data among them."""
    method: Any = gradmark.get_method(name, **hyper)
    return float(sum(method.saved(problem).values()) / (8 * BATCH * 8))


def test_checkpointing_keeps_its_buffers_and_the_data() -> None:
    """Sixteen steps: k - 1 + ceil(16 / k) states with k segments, and the data."""
    assert kept(deep(), "backprop") == 1 + 16
    for segments, states in ((1, 16), (2, 9), (4, 7), (8, 9), (16, 16)):
        assert kept(deep(), "checkpointed_backprop", segments=segments) == 1 + states
        assert kept(deep(), "checkpointed_backprop", segments=segments, fast=False) == 1 + states
    for states in (2, 3, 5):
        held = kept(deep(), "checkpointed_backprop", schedule="revolve", states=states)
        # The data, one state less stored, and: one that runs ahead, from one beside it, to that behind.
        assert 2 <= held - 1 - (states - 1) <= 3


def test_in_portable_form_the_steps_of_a_segment_are_kept_as_the_layers_save_them() -> None:
    """gelu keeps h and z: two states for each hidden step of the last segment, one for the outputs."""
    assert kept(deep(activation="gelu", backend="torch"), "backprop") == 1 + 15 * 2 + 1
    for segments in (2, 4, 8):
        length = 16 // segments
        found = kept(deep(activation="gelu", backend="torch"), "checkpointed_backprop", segments=segments)
        # The data, the starts of all others, and z and h but for the last z, which is the output.
        assert found == 1 + (segments - 1) + 2 * (length - 1) + 1


@pytest.mark.parametrize("blocks", [2, 20])
def test_reversible_backprop_keeps_the_ends_of_the_run_of_blocks_alone(blocks: int) -> None:
    problem = deep("reversible_mlp", blocks=blocks)
    assert kept(problem, "reversible_backprop") == 1 + 2 + 1
    assert kept(problem, "backprop") >= 1 + blocks
