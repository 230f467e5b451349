"""What the stages of a pipeline do, run as threads that speak through queues instead of processes."""

import threading
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from methods.reverse.parallel.group import Group
from methods.reverse.parallel.parcel import Piece
from methods.reverse.parallel.pipeline_backprop import PipelineBackprop, stages_of
from methods.reverse.parallel.schedule import KINDS, Kind, simulate
from methods.reverse.parallel.stage import Stages
from problems.layers.activation import Activation
from tests.methods.cases import CASES, ROWS, flat, reference, rounding

Bounds = tuple[tuple[int, int], ...]


@dataclass
class Thread(Group):
    """One stage of several in this process; it notes whom it spoke to, in order."""

    queues: Any = None
    heard: list[tuple[str, int]] = field(default_factory=list)

    def send(self, array: Any, to: int) -> Any:
        self.heard.append(("to", to))
        self.queues[self.rank, to].put(array)

    def receive(self, array: Any, source: int) -> Any:
        self.heard.append(("from", source))
        array.copy_(self.queues[source, self.rank].get(timeout=60))

    def finish(self, sent: list[Any]) -> None:
        """Queues need no end."""


def run(
    problem: Any, k: int, m: int, kind: Kind, bounds: Bounds | None = None
) -> tuple[torch.Tensor, list[Thread]]:
    """The gradient and the loss, flat, and the stages."""
    program = Stages(Piece.of(problem), bounds or stages_of(problem, k), m, kind)
    numbers = flat(problem.parameters).size + 1
    out = torch.full((numbers,), float("nan"), dtype=torch.float64)
    queues = {(a, b): SimpleQueue[Any]() for a in range(k) for b in range(k)}
    groups = [Thread(rank, k, shared=True, queues=queues) for rank in range(k)]
    threads = [
        threading.Thread(
            target=program.bind(group), args=(problem.parameters, problem.default_draw, out), daemon=True
        )
        for group in groups
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return out, groups


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("k", "m"), [(1, 1), (1, 3), (2, 1), (3, 2), (3, 4), (5, 7), (2, 100)])
def test_any_number_of_stages_and_micro_batches_gives_the_gradient(k: int, m: int, kind: Kind) -> None:
    problem = CASES["mlp tanh cross_entropy"](Arrays())
    out, _ = run(problem, k, m, kind)
    exact = flat(reference(problem))
    assert np.linalg.norm(out[:-1].numpy() - exact) <= rounding("float64") * np.linalg.norm(exact)
    assert float(out[-1]) == pytest.approx(float(problem.loss(problem.parameters)), rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stages_work_in_the_order_that_was_simulated(kind: Kind) -> None:
    k, m = 3, ROWS
    _, groups = run(CASES["mlp tanh mse"](Arrays()), k, m, kind)
    for rank, group in enumerate(groups):
        expected = []
        for slot in simulate(kind, k, m).of(rank):
            way = (rank - 1, rank + 1) if slot.step.operation == "forward" else (rank + 1, rank - 1)
            expected += [pair for pair in zip(("from", "to"), way, strict=True) if 0 <= pair[1] < k]
        assert group.heard == expected


def test_stages_have_about_the_same_number_of_operations() -> None:
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(8, 8, 8, 8, 8), batch=2)
    assert stages_of(problem, 4) == ((0, 2), (2, 4), (4, 6), (6, 7))
    assert stages_of(problem, 2) == ((0, 4), (4, 7))


def test_a_stage_before_all_parameters_has_nothing_to_do_on_the_way_back() -> None:
    """Nor does anybody send it a delta, which would be waited for in vain."""
    arrays = Arrays()
    problem: Any = CASES["mlp tanh mse"](arrays)
    front = NamedLayer("front", Activation("tanh", arrays))
    problem = replace(problem, layers=(front, *problem.layers))
    count = len(problem.layers)
    out, groups = run(problem, 3, 2, "1f1b", ((0, 1), (1, 3), (3, count)))
    exact = flat(reference(problem))
    assert np.linalg.norm(out[:-1].numpy() - exact) <= rounding("float64") * np.linalg.norm(exact)
    assert groups[0].heard == [("to", 1)] * 2


def test_a_parameter_of_two_stages_is_refused() -> None:
    problem: Any = CASES["mlp tanh mse"](Arrays())
    tied = replace(problem, layers=(*problem.layers, problem.layers[0]))
    reason = PipelineBackprop(stages=2).supports(tied)
    assert reason == "layers.0.weight is used in stage 0 and in stage 1"
