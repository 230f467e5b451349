"""Data sets: shapes, scaling, no network; draws of rows."""

import socket
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from problems import data

ON_DATA = [
    ("mlp", {"batch": 48}),
    ("mlp", {"widths": (7, 5, 3), "data": "synthetic", "loss": "mse", "batch": 48}),
    ("logistic_regression", {"batch": 48}),
]
on_data = pytest.mark.parametrize(("name", "sizes"), ON_DATA, ids=["digits", "synthetic", "breast_cancer"])


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach a network fails the test."""

    def refuse(*arguments: Any) -> None:
        raise AssertionError(f"a data set asked the network for {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    data.digits.cache_clear()
    data.breast_cancer.cache_clear()


def test_digits_are_scaled_to_minus_one_and_one_with_one_hot_targets() -> None:
    inputs, targets = data.digits()
    assert inputs.shape == (1797, 64) and targets.shape == (1797, 10)
    assert inputs.dtype == targets.dtype == np.float64
    assert (inputs.min(), inputs.max()) == (-1.0, 1.0)
    assert np.all(np.sort(targets, axis=1) == [0] * 9 + [1])
    assert np.all(targets.sum(axis=0) > 150)  # every digit is there about equally often


def test_breast_cancer_features_are_standardised() -> None:
    inputs, targets = data.breast_cancer()
    assert inputs.shape == (569, 30) and targets.shape == (569, 1)
    assert (
        set(np.unique(targets)) == {0.0, 1.0} and targets.sum() == 357
    )  # benign, says the data's description
    slack = 569 * np.finfo(float).eps
    assert np.max(np.abs(inputs.mean(axis=0))) <= slack and np.max(np.abs(inputs.std(axis=0) - 1)) <= slack


def test_synthetic_data_has_any_size_and_its_own_seed() -> None:
    inputs, targets = data.synthetic(100, 3, 2, seed=0)
    assert inputs.shape == (100, 3) and targets.shape == (100, 2)
    assert np.array_equal(data.synthetic(100, 3, 2, seed=0)[0], inputs)
    assert not np.array_equal(data.synthetic(100, 3, 2, seed=1)[0], inputs)
    assert np.array_equal(data.one_hot_of_largest(targets).argmax(axis=1), targets.argmax(axis=1))


def test_problems_do_not_share_memory_with_the_data_set() -> None:
    problem = gradmark.get_problem("mlp", backend="torch", batch=1797)
    problem.default_draw.arrays["inputs"].zero_()
    assert np.any(data.digits()[0] != 0)


@on_data
def test_the_same_seed_draws_the_same_rows(name: str, sizes: dict[str, Any]) -> None:
    problem = gradmark.get_problem(name, **sizes)
    first, again, other = problem.draw(5), problem.draw(5), problem.draw(6)
    for key, array in first.arrays.items():
        assert array.shape[0] == 48
        np.testing.assert_array_equal(array, again.arrays[key])
    assert np.any(first.arrays["inputs"] != other.arrays["inputs"])


@on_data
def test_rows_are_drawn_without_replacement_and_with_their_own_targets(
    name: str, sizes: dict[str, Any]
) -> None:
    problem: Any = gradmark.get_problem(name, **sizes)
    everything = {tuple(x): tuple(t) for x, t in zip(*problem.data.arrays.values(), strict=True)}
    drawn = [tuple(x) for x in problem.draw(1).arrays["inputs"]]
    assert len(set(drawn)) == 48
    for x, t in zip(drawn, problem.draw(1).arrays["targets"], strict=True):
        assert everything[x] == tuple(t)


def test_all_rows_come_in_their_own_order() -> None:
    problem = gradmark.get_problem("logistic_regression")
    np.testing.assert_array_equal(problem.draw(9).arrays["inputs"], data.breast_cancer()[0])


@on_data
def test_shards_of_a_draw_average_to_the_whole(name: str, sizes: dict[str, Any]) -> None:
    problem = gradmark.get_problem(name, **sizes)
    draw, bounds = problem.draw(3), [0, 10, 11, 30, 48]
    shards = [draw.rows(start, stop) for start, stop in pairwise(bounds)]
    total = sum(shard.count * float(problem.loss(problem.parameters, shard)) for shard in shards) / 48
    # Means of at most 48 rows, each within a rounding for every term; rows within the sums over inputs.
    assert total == pytest.approx(float(problem.loss(problem.parameters, draw)), rel=2 * 64 * 2.0**-52, abs=0)


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 3), (4, 2), (0, 49)])
def test_rows_that_are_not_there_are_refused(start: int, stop: int) -> None:
    draw = gradmark.get_problem("mlp", batch=48).draw(0)
    with pytest.raises(UsageError, match="are not in a draw of 48 rows"):
        draw.rows(start, stop)


@on_data
@pytest.mark.parametrize("backend", ["torch", "jax", "array_api_strict"])
def test_every_backend_gets_the_same_numbers(name: str, sizes: dict[str, Any], backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    for dtype in ("float32", "float64"):
        here = gradmark.get_problem(name, **sizes, backend=backend, dtype=dtype, seed=4)
        numpy = gradmark.get_problem(name, **sizes, dtype=dtype, seed=4)
        for key, array in numpy.parameters.items():
            np.testing.assert_array_equal(to_numpy(here.parameters[key]), array)
        for key, array in numpy.draw(7).arrays.items():
            np.testing.assert_array_equal(to_numpy(here.draw(7).arrays[key]), array)
