"""Reversible backprop: the same gradient up to rounding, in memory that does not grow with the blocks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.layer import Invertible, NamedLayer
from gradmark.measuring.memory import peak_bytes
from gradmark.parameters import size
from gradmark.problem import at_draw
from gradmark.work import counting
from problems.layers.coupling import Coupling
from problems.layers.dense import Dense
from tests.engine.test_passes import CHAINS, network
from tests.methods.cases import flat, relative_error
from tests.problems.scenarios.coupling import HALF, activations_only, coupling

SMALL: dict[str, Any] = {"width": 8, "batch": 16}


def reversible(**sizes: Any) -> Any:
    return gradmark.get_problem("reversible_mlp", **{**SMALL, **sizes})


def gradient(name: str, problem: Any, **hyper: Any) -> dict[str, Any]:
    found = gradmark.get_method(name, **hyper).prepare(problem)(problem.parameters).gradient
    return {key: np.array(to_numpy(array)) for key, array in found.items()}


def wide(problem: Any) -> dict[str, Any]:
    """The gradient at the same numbers in longdouble."""
    return gradient("backprop", problem.to(backend="numpy", dtype="longdouble"))


@pytest.mark.parametrize("make", [coupling, activations_only])
def test_the_inverse_gives_the_input_back_and_saves_what_forward_saves(make: Any, everywhere: Arrays) -> None:
    layer, random = make(everywhere), np.random.default_rng(0)
    assert isinstance(layer, Invertible)
    own = {name: everywhere.array(random.standard_normal(shape)) for name, shape in layer.shapes().items()}
    x = everywhere.array(random.standard_normal((5, 2 * HALF)))
    draw = gradmark.get_problem("mlp").default_draw
    y, saved = layer.forward(own, x, draw)
    again, kept = layer.inverse(own, y, draw)
    # Some numbers near one, each a sum of the bias and at most four products of such numbers.
    slack = 64 * everywhere.epsilon
    np.testing.assert_allclose(to_numpy(again), to_numpy(x), rtol=0, atol=slack)
    dy = everywhere.array(random.standard_normal((5, 2 * HALF)))
    one, other = (layer.pullback(own, each, dy)[0] for each in (saved, kept))
    np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=0, atol=64 * slack)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("blocks", [1, 4, 16, 48])
def test_the_error_is_rounding_that_grows_with_the_blocks(blocks: int, backend: str, dtype: str) -> None:
    problem = reversible(blocks=blocks, backend=backend, dtype=dtype, dropout=0.2)
    exact = wide(problem)
    usual = relative_error(gradient("backprop", problem), exact)
    found = relative_error(gradient("reversible_backprop", problem), exact)
    # Each block is undone with the rounding of its own sums, which is as much again as what it was computed
    # with; and so it is for every block behind it.
    assert found <= blocks * (usual + 4 * problem.arrays.epsilon)


@pytest.mark.parametrize("chain", CHAINS)
def test_without_blocks_it_is_backprop_to_the_last_bit(chain: str) -> None:
    problem = network(chain, Arrays())
    wanted = flat(gradient("backprop", problem, fast=False))
    assert np.array_equal(flat(gradient("reversible_backprop", problem)), wanted)


def test_several_runs_of_blocks_are_inverted_each_from_its_own_end() -> None:
    """Blocks without parameters before all others, which nobody inverts; two runs; and blocks at the end."""
    problem = reversible(blocks=4, activation="silu", dtype="longdouble")
    first, one, two, three, four, last = problem.layers
    tanh = NamedLayer("free", Coupling(activations_only(problem.arrays).inner, problem.arrays))
    middle, random = NamedLayer("middle", Dense(8, 8, problem.arrays)), np.random.default_rng(0)
    added = {
        middle.names[name]: random.standard_normal(shape).astype(np.longdouble) / 3
        for name, shape in middle.layer.shapes().items()
    }
    layers = (tanh, tanh, first, one, two, middle, three, tanh, four, last, tanh)
    mixed = replace(problem, layers=layers, parameters={**problem.parameters, **added})
    error = relative_error(gradient("reversible_backprop", mixed), gradient("backprop", mixed))
    assert error <= len(layers) * 16 * mixed.arrays.epsilon
    products = [each.layer.flops(16) for each in (first, middle, last)]
    work = gradmark.get_method("reversible_backprop").claims.work(mixed)
    assert work.forward == pytest.approx(2 - sum(products) / mixed.flops)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_work_is_another_pass_through_the_blocks_alone(backend: str) -> None:
    problem = reversible(blocks=3, backend=backend)
    ends = sum(problem.layers[index].layer.flops(16) for index in (0, -1))
    method = gradmark.get_method("reversible_backprop")
    with counting() as counted:
        work = method.prepare(problem)(problem.parameters).work
    assert work == method.claims.work(problem) == counted.total()
    assert work.forward == pytest.approx(2 - ends / problem.flops) and work.pullback == 1


def test_a_draw_of_other_rows_is_used() -> None:
    problem = reversible(blocks=3, dropout=0.3)
    prepared = gradmark.get_method("reversible_backprop").prepare(problem)
    whole = prepared(problem.parameters).work.forward
    for draw in (problem.draw(4), problem.default_draw.rows(2, 7)):
        found = prepared(problem.parameters, draw=draw)
        wanted = gradient("reversible_backprop", at_draw(problem, draw))
        assert np.array_equal(flat(found.gradient), flat(wanted))
        assert found.work.forward == pytest.approx(whole * draw.count / 16)


def peak_beside_gradient(name: str, blocks: int, backend: str) -> Any:
    """In bytes, with the resolution."""
    problem = reversible(
        blocks=blocks,
        width=128,
        batch=1024,
        data="synthetic",
        inputs=4,
        outputs=2,
        dtype="float32",
        backend=backend,
    )
    method = gradmark.get_method(name)
    method.prepare(problem)(problem.parameters)

    def make() -> Any:
        prepared = method.prepare(problem)
        return lambda: prepared(problem.parameters)

    found = peak_bytes(make, problem.arrays)
    return found.bytes - 4 * size(problem.parameters), found.resolution


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_peak_memory_does_not_grow_with_the_blocks(backend: str) -> None:
    (few, resolution), (many, _) = (
        peak_beside_gradient("reversible_backprop", each, backend) for each in (4, 24)
    )
    # Small arrays of the gradient come from the heap, and are known to a page each.
    assert many <= few + 2 * resolution
    block = 4 * 1024 * 128  # of backprop, which keeps a state and more of every block
    (few, _), (many, _) = (peak_beside_gradient("backprop", each, backend) for each in (4, 24))
    assert many >= few + 20 * block


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_units_that_grow_so_much_that_their_digits_are_lost_are_answered(backend: str) -> None:
    problem = reversible(blocks=64, activation="relu", width=16, backend=backend)
    prepared = gradmark.get_method("reversible_backprop").prepare(problem)
    with pytest.raises(UsageError, match=r"the input of `layers.1`, .* units grow so much .* checkpointed_"):
        prepared(problem.parameters)
    calm = reversible(blocks=64, activation="relu", width=16, backend=backend, gain=0.01)
    found = gradmark.get_method("reversible_backprop").prepare(calm)(calm.parameters).gradient
    assert relative_error(found, wide(calm)) <= 64 * 16 * Arrays().epsilon
