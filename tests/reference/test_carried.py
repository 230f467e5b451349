"""The rounding of a pass back through layers: as much as passes round, and no more for a wrong formula."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import epsilon, to_numpy
from gradmark.dtypes import smallest
from gradmark.exchange import exchanged
from gradmark.judging.places.sites import sites
from gradmark.measuring.norms import norm
from gradmark.reference import pullback
from gradmark.reference.carried import carried
from gradmark.reference.point import Point, widest_point

SMALL = {"data": "synthetic", "inputs": 5, "outputs": 3, "width": 4, "batch": 6}
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"widths": (5, 6, 6, 3), "data": "synthetic", "batch": 8},
    "deep_mlp": {**SMALL, "depth": 2, "normalisation": "batch"},
    "resnet_mlp": {**SMALL, "blocks": 2, "normalisation": "batch", "frozen": True, "matrices": 1},
    "reversible_mlp": {**SMALL, "blocks": 2},
    "convnet": {"data": "synthetic", "channels": (2,), "size": 4, "outputs": 3, "batch": 4},
    "rnn": {"length": 4, "hidden": 3, "batch": 4},
    "lstm": {"length": 4, "hidden": 2, "batch": 4},
    "transformer": {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "batch": 2},
}
PLACES = [("numpy", "float64"), ("numpy", "float32"), ("torch", "float32"), ("torch", "bfloat16")]
TWICE = 2.0
"""What the judge makes of it."""


@pytest.mark.parametrize(("backend", "dtype"), [*PLACES, ("torch", "float16")])
@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_pass_back_rounds_is_within_it(name: str, backend: str, dtype: str) -> None:
    """At every site, saturated units and tiny arrays among them."""
    problem = gradmark.get_problem(name, **NETWORKS[name], backend=backend, dtype=dtype)
    prepared = gradmark.get_method("backprop").prepare(problem)
    for site in sites(problem):
        wide = widest_point(problem, site.parameters, site.draw)
        found, true = carried(wide), pullback.estimate(wide).gradient
        assert found is not None
        answer = prepared(site.parameters, draw=site.draw).gradient
        for key, array in true.items():
            bound = epsilon(dtype) * found.rounding[key] + smallest(dtype) * found.underflow[key]
            error = norm(to_numpy(answer[key]) - array)
            assert error <= TWICE * bound or not np.isfinite(error), (site.name, key, error / bound)


def with_wrong_layers(at: Point, factor: Callable[[], float]) -> Point:
    """Every layer's gradient of its input is off by a factor, for each call asked anew."""

    def wrong(layer: Any) -> Any:
        def back(p: Any, saved: Any, dy: Any, *, input_gradient: bool = True) -> Any:
            dx, dp = layer.pullback(p, saved, dy, input_gradient=input_gradient)
            return None if dx is None else factor() * dx, dp

        changed = copy.copy(layer)
        object.__setattr__(changed, "pullback", back)
        return changed

    problem: Any = at.problem
    layers = exchanged(problem.layers, lambda _, each: wrong(each))
    return replace(at, problem=replace(problem, layers=layers))


def network() -> Point:
    return widest_point(gradmark.get_problem("mlp", **NETWORKS["mlp"]), None, None)


def test_a_wrong_formula_is_allowed_the_rounding_of_what_it_gives_and_no_more() -> None:
    at = network()
    doubling = with_wrong_layers(at, lambda: 2.0)
    right, wrong = carried(at), carried(doubling)
    assert right is not None and wrong is not None
    gradient = pullback.estimate(doubling).gradient
    for name, array in pullback.estimate(at).gradient.items():
        larger = norm(gradient[name]) / norm(array)  # 1 to 16: wrong by as much
        assert wrong.rounding[name] < 4 * larger * right.rounding[name]


def test_a_formula_that_is_random_is_not_made_right_by_it() -> None:
    """An error of its own size, over the 2^-32 that is put in, times 4 and float64's epsilon: 2^-18 of it."""
    random = np.random.default_rng(0)
    found = carried(with_wrong_layers(network(), lambda: random.uniform(0.5, 2)))
    assert found is not None
    for name, array in pullback.estimate(network()).gradient.items():
        assert epsilon("float64") * found.rounding[name] < 1e-4 * norm(array)


def test_cancellation_between_outputs_and_targets_is_part_of_it() -> None:
    """p - t for a row that is almost certain: off by an epsilon of 1, however small it is."""
    at = network()
    certain = {name: array * 30 for name, array in at.numbers.items()}
    labels = {**at.draw.arrays, "targets": _predicted(at, certain)}
    sure = replace(at.at(certain), draw=replace(at.draw, arrays=labels))
    found, true = carried(sure), pullback.estimate(sure).gradient
    assert found is not None
    rounded = pullback.estimate(sure.to("float64")).gradient
    for name, array in true.items():
        assert norm(rounded[name] - array) <= TWICE * epsilon("float64") * found.rounding[name]


def _predicted(at: Point, numbers: Any) -> Any:
    outputs = at.problem.outputs(at.at(numbers).parameters, at.draw)
    return np.eye(outputs.shape[-1], dtype=np.longdouble)[np.argmax(outputs, axis=-1)]


def test_a_function_without_layers_has_none() -> None:
    assert carried(widest_point(gradmark.get_problem("rosenbrock", size=3), None, None)) is None
