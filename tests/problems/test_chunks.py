"""How many members of a population are carried at once is what memory allows, whatever the layers are."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.population import per_chunk

# Arrays as large as the largest that are alive at once: of an LSTM its four gates, its cells, their copies
# while they are stacked; of attention its inputs, q, k, v, and both sides of each function of the scores.
ALIVE = 6
LIMIT = 2**22
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"widths": (64, 100, 10)},
    "resnet_mlp": {"width": 50},
    "reversible_mlp": {"width": 50},
    "convnet": {"channels": (8, 16)},
    "rnn": {"length": 50, "hidden": 8},
    "lstm": {"length": 50, "hidden": 8},
    "transformer": {"blocks": 1, "positions": 64, "width": 8, "heads": 4, "hidden": 1},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_losses_of_a_chunk_take_no_more_memory_than_is_meant_for_it(name: str) -> None:
    problem = gradmark.get_problem(name, **NETWORKS[name])
    numbers = sum(array.size for array in problem.parameters.values())
    count = per_chunk(problem, problem.default_draw, numbers, limit=LIMIT)
    members = {key: np.repeat(array[None], count, axis=0) for key, array in problem.parameters.items()}
    tracemalloc.start()
    problem.loss(members)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 1
    assert LIMIT / ALIVE < peak < ALIVE * LIMIT
