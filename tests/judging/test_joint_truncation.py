"""Moves of all nodes at once are allowed what they bend together, and no more."""

from typing import Any

import pytest

import gradmark
from gradmark.judging.comparing.bounds import bound_at
from gradmark.judging.comparing.compared import compared
from gradmark.judging.comparing.truncation import FORMULAS
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import sites
from gradmark.judging.stages import invariance
from tests.judging.fakes import heard_on

# Rows by themselves, a network whose scales move themselves, and one block of rows that are coupled.
PROBLEMS: dict[str, dict[str, Any]] = {
    "mlp": {"data": "synthetic", "widths": (4, 5, 3), "batch": 6},
    "rnn": {"length": 3, "hidden": 3, "batch": 4},
    "resnet_mlp": {"data": "synthetic", "inputs": 5, "outputs": 3, "width": 4, "batch": 6, "blocks": 2},
    "deep_mlp": {
        "data": "synthetic", "inputs": 3, "outputs": 2, "width": 3, "batch": 4, "depth": 2,
        "normalisation": "batch",
    },
}  # fmt: skip


def worst(problem: Any, sigma: float, factor: float, place: str) -> Any:
    hearing = heard_on(gradmark.get_method("hadamard_node_es", sigma=sigma), problem)
    site = next(each for each in sites(problem) if each.name == place)
    reference = reference_at(problem, site, hearing.method.claims.reads)
    gradient = hearing.call(site.parameters, 0, site.draw).gradient
    wrong = {array: factor * numbers for array, numbers in gradient.items()}
    return compared(wrong, reference, bound_at(hearing, site, reference))


@pytest.mark.parametrize("place", ["as built", "scales"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_joint_move_bends_is_foreseen(problem: str, place: str) -> None:
    """Within the root mean square over moves, or little more: rows that err alike add up. 1e-3 is long beside
    rounding."""
    found = worst(gradmark.get_problem(problem, **PROBLEMS[problem]), 1e-3, 1.0, place)
    assert found.ratio < 2 / FORMULAS


@pytest.mark.parametrize("problem", ["mlp", "rnn"])
def test_a_fault_of_a_thousandth_is_not_taken_for_a_joint_move(problem: str) -> None:
    assert worst(gradmark.get_problem(problem, **PROBLEMS[problem]), 1e-3, 1.001, "as built").wrong


def test_kinks_that_a_joint_move_crosses_are_no_fault() -> None:
    """A step of one parameter crosses fewer of them, and says too little of what a move of all nodes does."""
    sizes: dict[str, Any] = {"data": "synthetic", "channels": (2,), "size": 4, "outputs": 3, "batch": 4}
    problem = gradmark.get_problem("convnet", **sizes, dtype="float32")
    findings = list(invariance.examine([heard_on(gradmark.get_method("hadamard_node_es"), problem)]))
    assert {finding.status for finding in findings} <= {"passed", "skipped"}
