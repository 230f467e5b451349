"""Sequences made for recurrent networks, as float64 NumPy arrays with the rows leading."""

from typing import Any

import numpy as np

from gradmark.random import generator

FEATURES = 2
"""Of each step of the adding problem: a number and a marker."""
_ROWS = 1024


def rows_there(batch: int) -> int:
    """How many sequences there are for a problem that draws `batch`."""
    return max(batch, _ROWS)


def adding(rows: int, length: int, seed: int) -> dict[str, Any]:
    """The adding problem: at each of `length` steps a number and a marker, which is 1 at two steps, else 0.

    ``inputs`` (rows, 2 length) hold number and marker of step 1, then of step 2, and so on; numbers are
    uniform in [0, 1], one marker stands in each half of the steps. ``targets`` (rows, 1) are the sums of the
    two marked numbers: of variance 1/6, which is the squared error of always saying 1. After Hochreiter and
    Schmidhuber (1997), in the form of Le, Jaitly and Hinton (2015).

    >>> drawn = adding(rows=1, length=3, seed=0)
    >>> drawn["inputs"].reshape(3, 2).round(2).tolist(), drawn["targets"].round(2).tolist()
    ([[0.08, 1.0], [0.4, 0.0], [0.6, 1.0]], [[0.68]])
    """
    random = generator(seed, "data")
    inputs = np.zeros((rows, length, 2))
    inputs[..., 0] = random.random((rows, length))
    half, every = length // 2, np.arange(rows)
    for marked in (random.integers(0, half, rows), random.integers(half, length, rows)):
        inputs[every, marked, 1] = 1
    targets = np.sum(inputs[..., 0] * inputs[..., 1], axis=1, keepdims=True)
    return {"inputs": inputs.reshape(rows, 2 * length), "targets": targets}
