"""Networks in which a layer knows no tangents: who needs them says so, or uses the backend's forward mode."""

from dataclasses import replace
from typing import Any

import pytest

import gradmark
from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from problems.layers.activation import Activation
from problems.layers.chain import Chain
from tests.methods.cases import CASES, relative_error

REASON = "the layer layers.1.0 of mlp has no pushforward"


class OneWay:
    """An activation without its pushforward."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays, self.layer = arrays, Activation("tanh", arrays)
        self.shapes, self.forward, self.pullback = self.layer.shapes, self.layer.forward, self.layer.pullback
        self.output_shape, self.flops = self.layer.output_shape, self.layer.flops


def network(backend: str, *, one_way: bool = True) -> Any:
    """An mlp whose activations are one-way, each inside of a composite."""
    arrays = Arrays(backend)
    whole: Any = CASES["mlp tanh mse"](arrays)
    wrapped = tuple(
        NamedLayer(each.prefix, Chain((NamedLayer("0", OneWay(arrays)),), arrays))
        if isinstance(each.layer, Activation)
        else each
        for each in whole.layers
    )
    return replace(whole, layers=wrapped) if one_way else whole


@pytest.mark.parametrize("name", ["tangent", "forward_gradient"])
def test_on_numpy_methods_of_tangents_name_the_layer_that_has_none(name: str) -> None:
    reason = gradmark.get_method(name).supports(network("numpy"))
    assert reason == REASON + (", and numpy has no forward mode" if name == "forward_gradient" else "")


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_forward_gradients_use_the_forward_mode_of_the_backend_instead(backend: str) -> None:
    """The directions are the same, so the estimates are; only the way to the slopes differs."""
    method, here, there = (
        gradmark.get_method("forward_gradient"),
        network(backend),
        network("numpy", one_way=False),
    )
    assert gradmark.get_method("tangent").supports(here) == REASON
    found, wanted = (method.prepare(each)(each.parameters, 5) for each in (here, there))
    assert relative_error(found.gradient, wanted.gradient) <= 64 * Arrays().epsilon * len(here.parameters)
    assert found.work.passes == method.claims.work(here).passes
