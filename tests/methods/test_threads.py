"""Methods that are called from several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch

import gradmark
from gradmark.quantities import named_arrays
from gradmark.torch_forward import torch_forward_mode

THREADS, CALLS = 4, 5
FORWARD = [
    (name, want) for name in ("jvp", "forward_ad") for want in sorted(gradmark.get_method(name).claims.wants)
]


@pytest.mark.parametrize(("name", "want"), FORWARD)
def test_torchs_forward_mode_answers_each_thread_as_it_answers_one(name: str, want: str) -> None:
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(3, 2), batch=4, backend="torch")
    function = gradmark.get_method(name).prepare(problem, want)
    together = Barrier(THREADS)

    def answer() -> dict[str, Any]:
        direction = problem.parameters if want in ("jvp", "hvp") else None
        return named_arrays(function(problem.parameters, direction=direction).result)

    def answers(_: int) -> list[dict[str, Any]]:
        together.wait()
        return [answer() for _ in range(CALLS)]

    alone = answer()
    with ThreadPoolExecutor(THREADS) as pool:
        for found in (each for thread in pool.map(answers, range(THREADS)) for each in thread):
            assert all(torch.equal(found[array], alone[array]) for array in alone)


def test_who_holds_torchs_forward_mode_may_take_it_again_and_others_wait() -> None:
    with torch_forward_mode(), torch_forward_mode(), ThreadPoolExecutor(1) as pool:
        free: Any = torch_forward_mode()
        assert pool.submit(free.acquire, blocking=False).result() is False
