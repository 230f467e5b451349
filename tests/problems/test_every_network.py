"""What must hold of every network, whatever it is made of: its draws, copies, offsets, and its repetition."""

import pickle
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.layer import Composite, Nodal
from gradmark.structure import flattened, rows_are_coupled

ROWS = 6
DENSE: dict[str, Any] = {"width": 4, "data": "synthetic", "inputs": 5, "outputs": 3}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("mlp", {"widths": (5, 4, 3), "data": "synthetic"}),
    **{
        f"deep_mlp {normalisation} {frozen}": (
            "deep_mlp",
            {**DENSE, "depth": 2, "normalisation": normalisation, "frozen": frozen, "dropout": 0.3},
        )
        for normalisation in ("batch", "layer")
        for frozen in (False, True)
    },
    "resnet_mlp": ("resnet_mlp", {**DENSE, "blocks": 2, "normalisation": "layer", "dropout": 0.3}),
    "reversible_mlp": ("reversible_mlp", {**DENSE, "blocks": 2, "dropout": 0.3}),
    "convnet": (
        "convnet",
        {"channels": (2, 3), "hidden": (4,), "data": "synthetic", "size": 6, "outputs": 3},
    ),
    "rnn": ("rnn", {"length": 4, "hidden": 3}),
    "lstm": ("lstm", {"length": 4, "hidden": 3, "layers": 2}),
    "transformer": ("transformer", {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "hidden": 2}),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
# Roundings on the way of one number through any of these: sums of at most 36 terms, and their functions.
ROUNDINGS = 512


def network(name: str, **place: Any) -> Any:
    factory, sizes = NETWORKS[name]
    return gradmark.get_problem(factory, **sizes, batch=ROWS, **place)


def gradient(problem: Any, method: str = "backprop", draw: Any = None) -> dict[str, Any]:
    found = gradmark.get_method(method).prepare(problem)(problem.parameters, draw=draw).gradient
    return {name: to_numpy(array) for name, array in found.items()}


def assert_equal(found: Any, wanted: Any) -> None:
    assert set(found) == set(wanted)
    for key, array in found.items():
        np.testing.assert_array_equal(to_numpy(array), to_numpy(wanted[key]), err_msg=key, strict=True)


@every_network
def test_draws_repeat_by_their_seed_and_differ_by_it(name: str) -> None:
    problem = network(name)
    once, again, other = problem.draw(3).arrays, problem.draw(3).arrays, problem.draw(4).arrays
    assert_equal(once, again)
    assert all(not np.array_equal(once[key], other[key]) for key in once)
    masks = [array for key, array in once.items() if key.startswith("masks")]
    assert all(not np.array_equal(one, two) for one, two in combinations(masks, 2))
    assert_equal(problem.draw(0).arrays, problem.default_draw.arrays)


@every_network
def test_the_whole_is_the_weighted_mean_of_its_parts_where_rows_are_not_coupled(name: str) -> None:
    problem = network(name)
    if rows_are_coupled(problem.layers) is not None:
        assert name == "deep_mlp batch False"
        return
    draw = problem.draw(3)
    parts = [(draw.rows(start, stop), (stop - start) / ROWS) for start, stop in ((0, 1), (1, 4), (4, 6))]
    slack = ROUNDINGS * problem.arrays.epsilon
    mean = sum(share * float(problem.loss(problem.parameters, part)) for part, share in parts)
    assert float(problem.loss(problem.parameters, draw)) == pytest.approx(mean, rel=slack)
    wanted = [gradient(problem, draw=part) for part, _ in parts]
    for key, array in gradient(problem, draw=draw).items():
        mean = sum(share * each[key] for each, (_, share) in zip(wanted, parts, strict=True))
        np.testing.assert_allclose(array, mean, rtol=slack, atol=slack, err_msg=key)


@every_network
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_copies_say_the_same_bit_by_bit(name: str, backend: str) -> None:
    """Of a problem that has been used: what was kept then must not stand in the way of a copy."""
    problem = network(name, backend=backend)
    wanted = gradient(problem)
    float(problem.plain_forward()(problem.parameters, problem.default_draw))
    assert_equal(gradient(problem), wanted)
    assert_equal(gradient(pickle.loads(pickle.dumps(problem))), wanted)
    for other in ("numpy", "torch", "jax"):
        if other == "jax":
            pytest.importorskip(other, reason="jax is not installed here")
        there_and_back = problem.to(backend=other).to(backend=backend)
        assert_equal(there_and_back.parameters, problem.parameters)
        assert_equal(there_and_back.default_draw.arrays, problem.default_draw.arrays)
        assert_equal(problem.to(backend=other).draw(5).arrays, problem.draw(5).arrays)
    assert_equal(gradient(problem.to(dtype=problem.arrays.dtype)), wanted)


@every_network
def test_every_layer_of_a_network_that_has_nodes_has_offsets_when_they_are_opened(name: str) -> None:
    problem = network(name)
    opened = problem.opened("nodes")
    every = [each.layer for each in flattened(problem.layers) if not isinstance(each.layer, Composite)]
    nodal = [layer for layer in every if isinstance(layer, Nodal)]
    added = set(opened.parameters) - set(problem.parameters)
    assert len(added) == len(nodal)
    kinds = {type(layer).__name__ for layer in every if layer.shapes() and not isinstance(layer, Nodal)}
    assert kinds <= {"BatchNorm", "LayerNorm"}
    found, wanted = gradient(opened), gradient(opened.to(backend="torch"), "autograd")
    for key, array in found.items():
        slack = ROUNDINGS * problem.arrays.epsilon * np.max(np.abs(wanted[key]))
        np.testing.assert_allclose(array, wanted[key], rtol=0, atol=slack, err_msg=key)
    assert_equal(pickle.loads(pickle.dumps(opened)).parameters, opened.parameters)
