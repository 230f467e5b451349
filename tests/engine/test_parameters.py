"""Named parameters, one flat vector, and back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.parameters import detached, finished, ravel, size

shapes = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    min_size=1,
    max_size=4,
)


def named(arrays: Arrays, wanted: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {name: arrays.array(random.standard_normal(shape)) for name, shape in wanted.items()}


@given(shapes)
def test_ravel_and_unravel_are_inverses_for_any_shapes(wanted: dict[str, tuple[int, ...]]) -> None:
    parameters = named(Arrays(), wanted)
    vector, unravel = ravel(parameters)
    assert vector.shape == (size(parameters),)
    back = unravel(vector)
    assert list(back) == list(parameters)
    for name, array in parameters.items():
        assert back[name].shape == array.shape
        np.testing.assert_array_equal(back[name], array)


def test_ravel_works_on_every_backend_and_device(everywhere: Arrays) -> None:
    parameters = named(everywhere, {"a": (2, 3), "b": (), "c": (4,)})
    vector, unravel = ravel(parameters, everywhere.xp)
    flat = np.concatenate([to_numpy(array).ravel() for array in parameters.values()])
    np.testing.assert_array_equal(to_numpy(vector), flat)
    for name, array in unravel(2 * vector).items():
        np.testing.assert_array_equal(to_numpy(array), 2 * to_numpy(parameters[name]))


def test_rows_of_a_matrix_become_the_members_of_a_population(everywhere: Arrays) -> None:
    parameters = named(everywhere, {"a": (2, 3), "b": (), "c": (4,)})
    vector, unravel = ravel(parameters, everywhere.xp)
    members = unravel(everywhere.xp.stack([vector, -vector]))
    assert {name: tuple(array.shape) for name, array in members.items()} == {
        "a": (2, 2, 3),
        "b": (2,),
        "c": (2, 4),
    }
    np.testing.assert_array_equal(to_numpy(members["a"][1, ...]), -to_numpy(parameters["a"]))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_vector_is_a_copy_and_what_comes_back_are_views(backend: str) -> None:
    arrays = Arrays(backend)
    several: list[dict[str, tuple[int, ...]]] = [{"a": (2, 3)}, {"a": (2, 3), "b": (4,)}]
    for wanted in several:
        parameters = named(arrays, wanted)
        vector, unravel = ravel(parameters, arrays.xp)
        before = to_numpy(parameters["a"]).copy()
        vector[0] = 77.0
        np.testing.assert_array_equal(to_numpy(parameters["a"]), before)
        assert float(unravel(vector)["a"][0, 0]) == 77.0
        unravel(vector)["a"][0, 1] = 78.0
        assert float(vector[1]) == 78.0


def test_detached_parameters_record_no_graph() -> None:
    problem = gradmark.get_problem("mlp", backend="torch")
    leaves = {name: array.clone().requires_grad_(True) for name, array in problem.parameters.items()}
    assert problem.loss(leaves).requires_grad and not problem.loss(detached(leaves)).requires_grad


def test_finished_and_detached_keep_the_numbers(everywhere: Arrays) -> None:
    parameters = named(everywhere, {"a": (2, 3)})
    for kept in (finished(parameters), detached(parameters)):
        np.testing.assert_array_equal(to_numpy(kept["a"]), to_numpy(parameters["a"]))
