"""Steps of nodes are allowed what a node's step costs, and no more."""

from typing import Any

import pytest

import gradmark
from gradmark.judging.comparing.bounds import bound_at
from gradmark.judging.comparing.compared import compared
from gradmark.judging.comparing.truncation import FORMULAS, NOISES
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site, sites
from tests.judging.fakes import heard_on

PROBLEMS: dict[str, dict[str, Any]] = {
    "mlp": {"data": "synthetic", "widths": (4, 5, 3), "batch": 6},
    "rnn": {"length": 3, "hidden": 3, "batch": 4},
    "resnet_mlp": {"data": "synthetic", "inputs": 5, "outputs": 3, "width": 4, "batch": 6, "blocks": 2},
}
METHODS = ["divided_difference", "node_difference"]


def worst(name: str, problem: Any, factor: float) -> Any:
    """The array that is farthest off for one row, where a step of 0.01 is long beside rounding."""
    hearing = heard_on(gradmark.get_method(name, step=1e-2), problem)
    row = Site("one row", problem.parameters, problem.default_draw.rows(0, 1))
    reference = reference_at(problem, row, hearing.method.claims.reads)
    gradient = hearing.call(row.parameters, 0, row.draw).gradient
    wrong = {array: factor * numbers for array, numbers in gradient.items()}
    return compared(wrong, reference, bound_at(hearing, row, reference))


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", METHODS)
def test_the_error_of_a_node_s_step_is_foreseen(name: str, problem: str) -> None:
    found = worst(name, gradmark.get_problem(problem, **PROBLEMS[problem]), 1.0)
    assert not found.wrong
    assert found.ratio < 1.05 / FORMULAS


@pytest.mark.parametrize("name", METHODS)
def test_a_fault_of_a_tenth_is_not_taken_for_a_step(name: str) -> None:
    assert worst(name, gradmark.get_problem("mlp", **PROBLEMS["mlp"]), 1.1).wrong


@pytest.mark.parametrize("step", [3e-3, 1e-3, 3e-4])
def test_the_noise_of_losses_reaches_a_weight_as_many_times_as_its_inputs_are_large(step: float) -> None:
    """Beside inputs of size 50, and in rows of which one has most of the loss."""
    shape = {**PROBLEMS["resnet_mlp"], "normalisation": "layer", "activation": "silu"}
    problem = gradmark.get_problem("resnet_mlp", **shape, dtype="float32")
    hearing = heard_on(gradmark.get_method("node_difference", step=step), problem)
    site = next(each for each in sites(problem) if each.name == "saturated")
    reference = reference_at(problem, site, hearing.method.claims.reads)
    found = hearing.call(site.parameters, 0, site.draw).gradient
    worst = compared(found, reference, bound_at(hearing, site, reference))
    assert 0.1 / NOISES < worst.ratio < 2 / NOISES
