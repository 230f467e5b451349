"""Evolution strategies over several workers against those of one: the estimate, what is sent, faults."""

import os
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays
from gradmark.errors import UsageError
from gradmark.parameters import size
from methods.evolution.distributed.distributed_es import DistributedES
from methods.evolution.distributed.share import Share
from methods.reverse.parallel.group import Group
from methods.reverse.parallel.parcel import without_numbers
from methods.reverse.parallel.pool import WorkerError
from tests.methods.cases import CASES, flat, relative_error

PAIRS, SEED = 13, 5
SINGLE = {"gaussian": "gaussian_es", "rademacher": "spsa"}


@dataclass
class Thread(Group):
    """One worker of several in this process; it notes how many numbers it sent."""

    board: Any = None
    barrier: Any = None
    sent: list[int] = field(default_factory=list)

    def add(self, array: Any) -> None:
        self.sent.append(array.numel())
        self.board[self.rank] = array.clone()
        self.barrier.wait(60)
        array.copy_(sum(self.board[1:], start=self.board[0]))
        self.barrier.wait(60)


def by_threads(problem: Any, workers: int, **hyper: Any) -> tuple[list[Any], list[int]]:
    """The estimate of each worker, and the numbers that the first one sent."""
    method = DistributedES(pairs=PAIRS, **hyper)
    program = Share(
        without_numbers(problem), PAIRS, method.sigma, method.law, method.shaping, method.exchange
    )
    board, barrier = [None] * workers, threading.Barrier(workers)
    groups = [Thread(rank, workers, board=board, barrier=barrier) for rank in range(workers)]
    outs = [torch.full((size(problem.parameters) + 1,), float("nan"), dtype=torch.float64) for _ in groups]
    threads = [
        threading.Thread(
            target=program.bind(group),
            args=(problem.parameters, problem.default_draw, out, SEED),
            daemon=True,
        )
        for group, out in zip(groups, outs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return [out[:-1].numpy() for out in outs], groups[0].sent


def alone(problem: Any, **hyper: Any) -> Any:
    """The estimate of one worker, which is this process."""
    function = DistributedES(workers=1, pairs=PAIRS, **hyper).prepare(problem)
    return flat(function(problem.parameters, SEED).gradient)


def rounding(problem: Any) -> float:
    """Of sums of `PAIRS` terms in another order."""
    return 2 * PAIRS * float(problem.arrays.epsilon)


@pytest.mark.parametrize("shaping", ["identity", "centred_ranks"])
@pytest.mark.parametrize("law", SINGLE)
@pytest.mark.parametrize("case", ["mlp tanh cross_entropy", "rosenbrock"])
def test_any_number_of_workers_gives_the_same_estimate(case: str, law: str, shaping: str) -> None:
    """To the bit where they exchange losses; to rounding that of their sums and that of the plain method."""
    problem, chosen = CASES[case](Arrays()), {"law": law, "shaping": shaping}
    one = alone(problem, **chosen)
    method = gradmark.get_method(SINGLE[law], pairs=PAIRS, shaping=shaping)
    plain = flat(method.prepare(problem)(problem.parameters, SEED).gradient)
    assert np.linalg.norm(one - plain) <= rounding(problem) * np.linalg.norm(plain)
    for workers in (2, 3, 5, 20):
        every, sent = by_threads(problem, workers, **chosen)
        assert all(np.array_equal(each, one) for each in every)
        assert sent == [2 * PAIRS]  # as many numbers as there are losses, and no more
        every, sent = by_threads(problem, workers, exchange="sums", **chosen)
        assert all(np.linalg.norm(each - one) <= rounding(problem) * np.linalg.norm(one) for each in every)
        assert sent[-1] == one.size and len(sent) == 1 + (shaping != "identity")


def test_processes_give_the_estimate_of_one_for_every_point_draw_and_seed() -> None:
    problem = CASES["mlp tanh cross_entropy"](Arrays("torch", "cpu", "float32"))
    here, there = (DistributedES(pairs=PAIRS, workers=number).prepare(problem) for number in (1, 2))
    moved = {name: array + 0.1 for name, array in problem.parameters.items()}
    calls = [
        (problem.parameters, 0, None),
        (moved, 1, problem.draw(3)),
        (moved, 1, problem.draw(3).rows(0, 2)),
    ]
    for parameters, seed, draw in calls:
        expected, found = (each(parameters, seed, draw=draw) for each in (here, there))
        assert relative_error(found.gradient, expected.gradient) == 0
        share = 1.0 if draw is None else draw.count / problem.default_draw.count
        assert found.work.forward == pytest.approx(2 * PAIRS * share)
    with pytest.raises(UsageError, match="`seed=-1` must be an integer"):
        there(problem.parameters, -1)


def test_a_worker_killed_in_the_middle_is_named_and_nobody_is_left_behind() -> None:
    problem = CASES["mlp tanh mse"](Arrays())
    many, few = (DistributedES(pairs=pairs, workers=2).prepare(problem) for pairs in (10**7, PAIRS))
    first: Any = many.processes  # type: ignore[attr-defined]
    killer = threading.Timer(0.3, os.kill, (first[1], signal.SIGKILL))
    start = time.monotonic()
    killer.start()
    with pytest.raises(WorkerError, match=rf"mlp: worker 1 of 2 \(process {first[1]}\) was ended by SIGKILL"):
        many(problem.parameters)
    assert 0.3 <= time.monotonic() - start < 30
    for process in first:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    again = flat(few(problem.parameters, SEED).gradient)
    assert np.array_equal(again, alone(problem))


def test_what_cannot_be_sent_is_evaluated_by_one_worker_alone() -> None:
    problem = gradmark.from_function(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    reason = DistributedES().supports(problem)
    assert reason is not None and reason.startswith("its loss cannot be sent to another process")
    assert reason.endswith("workers=1 starts none")
    assert DistributedES(workers=1).supports(problem) is None
    bounded = gradmark.from_function(lambda x: np.sum(np.log(x)), np.array([1.0]), bounds=(0.0, np.inf))
    assert "bounds (0.0, inf)" in str(DistributedES(workers=1).supports(bounded))


@pytest.mark.parametrize(
    ("name", "value"), [("workers", 0), ("pairs", 1.5), ("sigma", 0), ("timeout", 0), ("law", "cauchy"),
                        ("exchange", "noise"), ("shaping", "none")]
)  # fmt: skip
def test_a_field_that_makes_no_sense_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name):
        gradmark.get_method("distributed_es", **{name: value})
